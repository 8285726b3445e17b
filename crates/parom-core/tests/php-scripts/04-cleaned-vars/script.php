<?php
header('Content-Type: text/html; charset=utf-8');

// ---------- собираем данные формы ----------
$name    = trim($_POST['name']);
$phone   = trim(strip_tags($_POST['phone']));
$email   = htmlspecialchars(trim($_POST['email']), ENT_QUOTES);
$city    = strip_tags(trim($_POST['city']));
$branch  = 'Відділення №' . (int) $_POST['branch']; // номер отделения
$comment = htmlspecialchars(strip_tags(trim($_POST['comment'])));
$price   = (float)$_POST['price'];
$qty     = intval($_POST['qty']);
$sku     = strtoupper(trim($_POST['sku']));
$title   = stripslashes($_POST['title']);

$token = "YTQ0made-up-key-0004";

// ---------- массив для CRM ----------
$data = array();
$data['source_id'] = 3;
$data['buyer'] = array('full_name' => $name);
$data['buyer']['phone'] = $phone;
$data['buyer']['email'] = $email;
$data['buyer_comment'] = $comment;

$data['shipping']['delivery_service_id'] = 1;
$data['shipping']['shipping_address_city'] = $city;
$data['shipping']['shipping_receive_point'] = $branch;

$data['products'][0]['sku'] = $sku;
$data['products'][0]['name'] = $title;
$data['products'][0]['price'] = $price;
$data['products'][0]['quantity'] = $qty;
$data['products'][0]['properties'][] = array('name' => 'Розмір', 'value' => trim($_POST['size']));

// второй товар - подарок
$gift = [
    'name' => 'Подарунок: чохол',
    'price' => 0,
];
$gift['quantity'] = 1;
$data['products'][] = $gift;

$data['marketing'] = array(
    'utm_source' => $_GET['utm_source'],
    'utm_content' => strtolower($_GET['utm_content']),
);

$json = json_encode($data);

$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, 'https://openapi.keycrm.app/v1/order');
curl_setopt($ch, CURLOPT_POST, TRUE);
curl_setopt($ch, CURLOPT_POSTFIELDS, $json);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, TRUE);
curl_setopt($ch, CURLOPT_SSL_VERIFYPEER, FALSE);
curl_setopt($ch, CURLOPT_HTTPHEADER, array("Content-type: application/json", "Authorization: Bearer $token"));
$res = curl_exec($ch);
if (curl_errno($ch)) {
    error_log('KeyCRM: ' . curl_error($ch));
}
curl_close($ch);

echo 'Дякуємо! Замовлення прийнято.';
