<?php
session_start();

// мітки ставить index.php при першому заході:
//   if (isset($_GET['utm_source'])) { $_SESSION['utm_source'] = $_GET['utm_source']; } ...
// якщо раптом прийшли прямо сюди - теж запам'ятаємо
if (isset($_GET['utm_source'])) {
    $_SESSION['utm_source'] = $_GET['utm_source'];
}
if (isset($_GET['utm_medium'])) {
    $_SESSION['utm_medium'] = $_GET['utm_medium'];
}

$data = [
    "source_id" => 6,
    "buyer" => [
        "full_name" => $_POST["bayer_name"],
        "phone" => $_POST["phone"],
    ],
    "manager_comment" => 'Перша сторінка: ' . $_SESSION['first_page'],
    "shipping" => [
        "shipping_address_city" => $_POST["city"],
    ],
    "products" => [
        [
            "sku" => $_POST["product_id"],
            "name" => $_POST["product_name"],
            "price" => $_POST["product_price"],
            "quantity" => 1,
        ],
    ],
    // utm метки из сессии
    "marketing" => [
        "utm_source" => $_SESSION['utm_source'],
        "utm_medium" => $_SESSION['utm_medium'],
        "utm_campaign" => $_SESSION['utms']['utm_campaign'],
        "utm_term" => $_SESSION['utms']['utm_term'],
        "utm_content" => isset($_SESSION['utms']['utm_content']) ? $_SESSION['utms']['utm_content'] : '',
    ],
];

$data_string = json_encode($data);
$token = 'YTQ0made-up-key-0007';

$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, "https://openapi.keycrm.app/v1/order");
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, $data_string);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
curl_setopt($ch, CURLOPT_HTTPHEADER, array(
        "Content-type: application/json",
        "Accept: application/json",
        'Authorization: Bearer ' . $token)
);
$result = curl_exec($ch);
curl_close($ch);

// щоб не відправити двічі
unset($_SESSION['cart']);
$_SESSION['ordered'] = true;

header("Location: success.php");
exit();
