<?php
require_once __DIR__ . '/vendor/autoload.php'; // composer: тут лишився phpmailer

// Кошик: products[0][name], products[0][price], products[0][qty] ...
$products = [];
foreach ($_POST['products'] as $p) {
    $products[] = [
        'sku' => $p['sku'],
        'name' => $p['name'],
        'price' => $p['price'],
        'quantity' => $p['qty'],
        'properties' => [
            ['name' => 'Колір', 'value' => $p['color'] ?? 'чорний'],
        ],
    ];
}

$order = [
    'source_id' => 2,
    'source_uuid' => $_POST['order_number'],
    'buyer' => [
        'full_name' => $_POST['client']['name'],
        'phone' => $_POST['client']['phone'],
        'email' => $_POST['client']['email'],
    ],
    'shipping' => [
        'shipping_service' => 'Нова Пошта',
        'shipping_address_city' => $_POST['delivery']['city'],
        'shipping_receive_point' => $_POST['delivery']['point'],
    ],
    'shipping_price' => 0,
    'products' => $products,
    'payments' => [
        [
            'payment_method_id' => 3,
            'amount' => $_POST['total'],
            'status' => 'not_paid',
        ],
    ],
];

function send_to_crm($order)
{
    $ch = curl_init('https://openapi.keycrm.app/v1/order');
    curl_setopt($ch, CURLOPT_CUSTOMREQUEST, 'POST');
    curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($order, JSON_UNESCAPED_UNICODE));
    curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($ch, CURLOPT_HTTPHEADER, [
        'Content-Type: application/json',
        'Authorization: Bearer YTQ0made-up-key-0008',
    ]);
    $out = curl_exec($ch);
    curl_close($ch);
    return $out;
}

echo send_to_crm($order);
