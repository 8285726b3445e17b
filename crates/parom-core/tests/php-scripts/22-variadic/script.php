<?php
function buyer($name, ...$rest)
{
    return ['full_name' => $name, 'phone' => $rest[0], 'email' => $rest[1]];
}

function products(array ...$lines)
{
    return $lines;
}

function named(string ...$parts)
{
    return ['sku' => $parts[0], 'name' => $parts[1], 'price' => $_POST['price'], 'quantity' => $_POST['qty']];
}

$data = [
    'source_id' => 3,
    'buyer' => buyer($_POST['name'], $_POST['phone'], $_POST['email']),
    'products' => products(named($_POST['sku'], $_POST['product']), ['name' => 'Листівка', 'price' => 0, 'quantity' => 1]),
];

$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => 'https://openapi.keycrm.app/v1/order',
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => json_encode($data, JSON_UNESCAPED_UNICODE),
    CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Authorization: Bearer MTI3made-up-key-0022'],
    CURLOPT_RETURNTRANSFER => true,
]);
curl_exec($curl);
