<?php

// Форма з окремими полями прізвища та імені

$color = $_POST['color'];
$full_name = $_POST['last_name'] . ' ' . $_POST['first_name'];

$comment = 'Коментар: ' . $_POST['comment'] . "\n";
$comment .= "Розмір: {$_POST['size']}, колір: $color\n";
$comment .= 'Зручний час: ' . $_POST['time_from'] . '-' . $_POST['time_to'];

$address = sprintf('вул. %s, буд. %s, кв. %s', $_POST['street'], $_POST['house'], $_POST['flat']);

$data = [
    'source_id' => 30,
    'buyer_comment' => $comment,
    'manager_comment' => "Лендінг $_POST[page], IP не зберігаємо",
    'buyer' => [
        'full_name' => $full_name,
        'phone' => '+38' . $_POST['phone'], // у формі маска 0XX XXX XX XX
        'email' => "{$_POST['email_user']}@{$_POST['email_host']}",
    ],
    'shipping' => [
        'shipping_address_city' => "м. " . $_POST['city'],
        'shipping_secondary_line' => $address,
        'recipient_full_name' => implode(' ', [$_POST['last_name'], $_POST['first_name'], $_POST['middle_name']]),
    ],
    'products' => [
        [
            'sku' => sprintf("%s-%s", $_POST['sku'], $_POST['size']),
            'name' => 'Кросівки ' . $_POST['model'] . ' (' . $color . ')',
            'price' => $_POST['price'] . '.00',
            'quantity' => $_POST['qty'],
            'properties' => [
                ['name' => "Розмір", 'value' => "EU {$_POST['size']}"],
                ['name' => "Колір", 'value' => $color],
            ],
        ],
    ],
    'custom_fields' => [
        ['uuid' => 'OR_1005', 'value' => sprintf('%1$s / %2$s', $_POST['page'], $_GET['utm_source'])],
    ],
];

$token = 'YTQ0made-up-key-0012';
$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, 'https://openapi.keycrm.app' . '/v1/order');
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($data, JSON_UNESCAPED_UNICODE));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
curl_setopt($ch, CURLOPT_HTTPHEADER, ["Content-Type: application/json", "Authorization: Bearer $token"]);
curl_exec($ch);
curl_close($ch);

exit('<script>alert("Дякуємо, ' . htmlspecialchars($_POST['first_name']) . '!"); location.href="/";</script>');
