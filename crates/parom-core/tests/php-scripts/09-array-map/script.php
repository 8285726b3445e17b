<?php
$currency = 'грн';

// товары корзины
$items = array_map(function ($item) use ($currency) {
    return [
        'sku'      => $item['article'],
        'name'     => $item['title'],
        'price'    => $item['price'],
        'quantity' => $item['count'],
        'comment'  => 'Ціна вказана в ' . $currency,
    ];
}, $_POST['items']);

$fields = array_map(fn($f) => ['uuid' => $f['id'], 'value' => $f['val']], $_POST['extra'] ?? []);

$request = [
    'source_id' => '4',
    'buyer' => [
        'full_name' => $_POST['fullname'],
        'phone'     => $_POST['phone'],
    ],
    'shipping' => [
        'shipping_address_city'  => $_POST['city'],
        'shipping_receive_point' => $_POST['address'],
    ],
    'products'      => array_values($items),
    'custom_fields' => $fields,
];

// NUMERIC_CHECK - чтобы цены ушли числами, а не строками
$body = json_encode($request, JSON_UNESCAPED_UNICODE | JSON_NUMERIC_CHECK | JSON_PRETTY_PRINT);

$h = curl_init();
curl_setopt_array($h, [
    CURLOPT_URL            => 'https://openapi.keycrm.app/v1/order',
    CURLOPT_POST           => 1,
    CURLOPT_POSTFIELDS     => $body,
    CURLOPT_RETURNTRANSFER => 1,
    CURLOPT_HTTPHEADER     => [
        'Content-Type: application/json',
        'Accept: application/json',
        'Authorization: Bearer ' . 'YTQ0made-up-key-0009',
    ],
]);
$answer = json_decode(curl_exec($h));
curl_close($h);

if (isset($answer->id)) {
    echo "OK";
} else {
    http_response_code(502);
    echo "ERROR";
}
