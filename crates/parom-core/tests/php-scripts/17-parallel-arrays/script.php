<?php
// Таблиця замовлення: name[], price[], qty[] - по рядку на товар

$count = count($_POST['name']);
$list = array();

for ($i = 0; $i < $count; $i++) {
    $list[] = array(
        'name'     => $_POST['name'][$i],
        'price'    => $_POST['price'][$i],
        'quantity' => $_POST['qty'][$i],
        'sku'      => $_POST['art'][$i],
    );
}

// послуги - окремим списком з ключами
for ($i = 0; $i < count($_POST['service']); $i++) {
    $list[] = [
        'name' => 'Послуга: ' . $_POST['service'][$i],
        'price' => $_POST['service_price'][$i],
        'quantity' => 1,
    ];
}

$arr = array(
    'source_id' => 12,
    'buyer' => array(
        'full_name' => $_POST['fio'],
        'phone' => $_POST['tel'],
    ),
    'shipping' => array(
        'shipping_address_city' => $_POST['city'],
        'shipping_receive_point' => 'Відділення №' . $_POST['np'],
    ),
    'products' => $list,
    'payments' => array(
        array(
            'payment_method' => $_POST['payment'],
            'amount' => $_POST['sum'],
            'status' => 'not_paid',
        ),
    ),
);

$curl = curl_init('https://openapi.keycrm.app/v1/order');
curl_setopt($curl, CURLOPT_HTTPHEADER, array(
    'Content-Type: application/json',
    'Authorization: Bearer YTQ0made-up-key-0017',
));
curl_setopt($curl, CURLOPT_POST, true);
curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($arr));
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
$reply = curl_exec($curl);
curl_close($curl);
echo '<pre>' . print_r(json_decode($reply, true), true) . '</pre>';
