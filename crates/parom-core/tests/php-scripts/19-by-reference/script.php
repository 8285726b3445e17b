<?php
$order = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']], 'products' => []];

function addProduct($sku, $name, $price, $qty)
{
    global $order;
    $order['products'][] = ['sku' => $sku, 'name' => $name, 'price' => $price, 'quantity' => $qty];
}

function addMarketing(array &$data)
{
    $data['marketing'] = ['utm_source' => $_GET['utm_source'] ?? ''];
}

function addComment()
{
    $GLOBALS['order']['buyer_comment'] = $_POST['comment'];
}

addProduct($_POST['sku'], $_POST['product'], $_POST['price'], $_POST['qty']);
addMarketing($order);
addComment();
$contact = function ($key, $value) use (&$order) {
    $order['buyer'][$key] = $value;
};
$contact('email', $_POST['email']);

$ch = curl_init('https://openapi.keycrm.app/v1/order');
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($order));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
curl_setopt($ch, CURLOPT_HTTPHEADER, ['Content-Type: application/json', 'Authorization: Bearer MTI3made-up-key-0019']);
curl_exec($ch);
