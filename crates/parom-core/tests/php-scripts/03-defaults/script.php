<?php

declare(strict_types=1);

// Новий обробник (PHP 7.4+), вересень

$apiKey = getenv('KEYCRM_TOKEN') ?: 'YTQ0made-up-key-0003';

$payload = [
    'source_id' => 11,
    'buyer_comment' => $_POST['message'] ?? null,
    'manager_comment' => !empty($_POST['callback']) ? 'Передзвонити!' : 'Не дзвонити',
    'discount_percent' => isset($_POST['promo']) ? 10 : 0,
    'promocode' => isset($_POST['promo']) ? $_POST['promo'] : '',
    'buyer' => [
        'full_name' => $_POST['name'] ?? 'Без імені',
        'email' => $_POST['email'] ?: null,
        'phone' => $_POST['phone'] ?? $_POST['tel'] ?? '',
    ],
    'shipping' => [
        'shipping_service' => $_POST['delivery'] ?? 'Нова Пошта',
        'shipping_address_city' => ($_POST['city'] ?? '') ?: 'Київ',
        'shipping_receive_point' => isset($_POST['branch']) ? $_POST['branch'] : 'уточнити',
        'recipient_full_name' => isset($_POST['other_name']) && $_POST['other_name'] !== ''
            ? $_POST['other_name']
            : $_POST['name'],
    ],
    'marketing' => [
        'utm_source' => $_GET['utm_source'] ?? $_POST['utm_source'] ?? 'direct',
        'utm_medium' => $_GET['utm_medium'] ?? '',
        'utm_campaign' => $_GET['utm_campaign'] ?? '',
    ],
    'products' => [
        [
            'sku' => $_POST['sku'] ?? 'SET-1',
            'name' => $_POST['product'] ?? 'Набір "Стартовий"',
            'price' => $_POST['price'] ?? 549,
            'quantity' => $_POST['qty'] ?? 1,
        ],
    ],
    'payments' => [
        [
            'payment_method' => $_POST['pay'] === 'card' ? 'Оплата карткою' : 'Накладений платіж',
            'amount' => $_POST['price'] ?? 549,
            'status' => $_POST['pay'] == 'card' ? 'paid' : 'not_paid',
        ],
    ],
];

$ch = curl_init('https://openapi.keycrm.app/v1/order');
curl_setopt($ch, CURLOPT_POST, true);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($payload, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
curl_setopt($ch, CURLOPT_HTTPHEADER, [
    'Content-Type: application/json',
    'Accept: application/json',
    "Authorization: Bearer {$apiKey}",
]);

$answer = curl_exec($ch);
$code = curl_getinfo($ch, CURLINFO_HTTP_CODE);
curl_close($ch);

echo json_encode(['ok' => $code === 201]);
