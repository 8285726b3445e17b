<?php

require 'vendor/autoload.php';

use GuzzleHttp\Client;
use GuzzleHttp\Exception\RequestException;

$config = [
    'key' => 'YTQ0made-up-key-0014',
    'source' => 25,
    'delivery' => ['np' => 1, 'up' => 2],
];

$client = new Client([
    'base_uri' => 'https://openapi.keycrm.app',
    'timeout' => 10.0,
]);

// discount for subscribers, see the form
$data = [
    'source_id' => $config['source'],
    'discount_amount' => (float) $_POST['discount'],
    'buyer' => [
        'full_name' => $_POST['user']['name'],
        'phone' => $_POST['user']['phone'],
        'email' => $_POST['user']['email'],
    ],
    'shipping' => [
        'delivery_service_id' => $config['delivery']['np'],
        'shipping_address_city' => $_POST['shipping']['city'],
        'shipping_receive_point' => $_POST['shipping']['branch'],
    ],
    'marketing' => [
        'utm_source' => $_GET['utm_source'] ?? null,
        'utm_medium' => $_GET['utm_medium'] ?? null,
    ],
    'products' => [
        [
            'sku' => $_POST['product']['sku'],
            'name' => $_POST['product']['name'],
            'price' => (float) $_POST['product']['price'],
            'quantity' => (int) $_POST['product']['quantity'],
        ],
    ],
];

try {
    $response = $client->request('POST', '/v1/order', [
        'headers' => [
            'Authorization' => 'Bearer ' . $config['key'],
            'Accept' => 'application/json',
        ],
        'json' => $data,
    ]);
    $order = json_decode($response->getBody()->getContents(), true);
    echo 'Order #' . $order['id'];
} catch (RequestException $e) {
    error_log($e->getMessage());
    http_response_code(500);
}
