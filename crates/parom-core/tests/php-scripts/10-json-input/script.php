<?php
// Фронт на Vue відправляє JSON через fetch()
header('Access-Control-Allow-Origin: *');
header('Content-Type: application/json');

$raw = file_get_contents('php://input');
$input = json_decode($raw, true);

if (!is_array($input)) {
    http_response_code(400);
    echo json_encode(['error' => 'bad json']);
    exit;
}

$customer = $input['customer'];
$delivery = $input['delivery'] ?? [];

$products = [];
foreach ($input['cart']['items'] as $item) {
    $products[] = [
        'sku' => $item['sku'],
        'name' => $item['title'],
        'price' => $item['price'],
        'quantity' => $item['quantity'] ?? 1,
        'picture' => $item['image']['src'],
    ];
}

$order = [
    'source_id' => 18,
    'source_uuid' => $input['id'],
    'buyer_comment' => $input['comment'] ?? '',
    'promocode' => $input['cart']['promo'] ?? null,
    'is_gift' => $input['gift'] ?? false,
    'buyer' => [
        'full_name' => $customer['name'],
        'phone' => $customer['contacts']['phone'],
        'email' => $customer['contacts']['email'] ?? null,
    ],
    'shipping' => [
        'delivery_service_id' => 1,
        'shipping_address_city' => $delivery['city']['name'],
        'shipping_receive_point' => $delivery['branch'],
        'warehouse_ref' => $delivery['ref'],
    ],
    'marketing' => $input['utm'],
    'products' => $products,
];

$ch = curl_init('https://openapi.keycrm.app/v1/order');
curl_setopt_array($ch, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => json_encode($order),
    CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Authorization: Bearer YTQ0made-up-key-0010'],
]);
$response = curl_exec($ch);
http_response_code(curl_getinfo($ch, CURLINFO_HTTP_CODE));
curl_close($ch);
echo $response;
