<?php
$qty = $_POST['qty'];
if ($qty >= 10) $percent = 15; elseif ($qty >= 3) $percent = 5; else $percent = 0;

function product($sku, $name, $price = 0, $quantity = 1)
{
    return compact('sku', 'name', 'price', 'quantity');
}

$price = round($_POST['price'] * (1 - $_POST['disc'] / 100), 2);
$first = [$_POST['sku'], $_POST['product'], $price, $qty];
$names = [1 => 'Готівка', 2 => 'Картка'];
$data = [
    'source_id' => 0b11,
    'discount_percent' => $percent,
    'shipping_price' => $_POST['city'] == 'Київ' ? 50 : ($_POST['city'] == 'Львів' ? 60 : 80),
    'wrap_price' => (int) ($_POST['price'] / 3),
    'gift_message' => $_POST['agree'] == true ? 'Так' : 'Ні',
    'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone'], 'email' => $_POST['email'] ?: 'no@example.com'],
    'products' => [product(...$first), product('GIFT-1', 'Листівка', quantity: $_POST['gifts'] ?: 1)],
    'payments' => [['payment_method' => $names[(int) $_POST['pay']], 'amount' => $price * $qty - 1e1]],
];

$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => 'https://openapi.keycrm.app/v1/order',
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => json_encode($data, JSON_UNESCAPED_UNICODE),
    CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Authorization: Bearer MTI3made-up-key-0021'],
    CURLOPT_RETURNTRANSFER => true,
]);
curl_exec($curl);
