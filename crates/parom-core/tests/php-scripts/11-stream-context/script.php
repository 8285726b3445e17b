<?php
// curl на хостинге отключён, шлём через file_get_contents

$apiUrl = 'https://openapi.keycrm.app/v1/order';
$apiKey = 'YTQ0made-up-key-0011';

$model = $_POST['model'];
$engraving = $_POST['engraving'];

$comment = <<<TXT
Модель: $model
Гравіювання: {$engraving}
Подарункова коробка: {$_POST['box']}
TXT;

$data = array(
  "source_id" => 1,
  "buyer_comment" => $comment,
  "gift_wrap" => true,
  "wrap_price" => 80.5,
  "buyer" => array(
    "full_name" => $_POST["name"],
    "phone" => $_POST["phone"],
  ),
  "shipping" => array(
    "shipping_address_city" => $_POST["city"],
    "shipping_address_country" => "Україна",
    "shipping_receive_point" => $_POST["post_office"],
  ),
  "marketing" => array(
    "utm_source" => $_GET["utm_source"],
    "utm_campaign" => $_GET["utm_campaign"],
  ),
  "products" => array(
    array("name" => $model, "price" => $_POST["price"], "quantity" => 1, "unit_type" => 'шт'),
  ),
);

$options = array(
  'http' => array(
    'method'  => 'POST',
    'header'  => "Content-Type: application/json\r\n" .
                 "Accept: application/json\r\n" .
                 "Authorization: Bearer " . $apiKey . "\r\n",
    'content' => json_encode($data, 256), // 256 = JSON_UNESCAPED_UNICODE
    'timeout' => 10,
    'ignore_errors' => true,
  ),
);

$context = stream_context_create($options);
$result = @file_get_contents($apiUrl, false, $context);

if ($result === FALSE) {
  mail('shop@example.com', 'KeyCRM не отвечает', print_r($data, true));
}
header('Location: ' . '/ok.html');
