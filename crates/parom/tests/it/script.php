<?php
// The form that a buyer sent.
parse_str('name=Olena&email=olena%40ukr.net&phone=067+111+22+33&address_city=Kyiv&address_country=Ukraine'
    . '&address_region=Kyivska&address_zip=01001&secondary_line=Khreshchatyk+1&receive_poin=Branch+11'
    . '&recipient_full_name=Petro&receive_phone=%2B380501112233&date=2026-12-01&utm_source=ig&utm_medium=cpc'
    . '&utm_campaign=autumn&utm_term=mug&utm_content=a1&product_price=1249.50&product_name=Mug'
    . '&product_url=https%3A%2F%2Fshop.example.ua%2Fmug.jpg&payment_method_id=2&amount=1249.50&description=paid'
    . '&payment_date=2026-11-24+08%3A00%3A00&value=gift&values%5B%5D=one&values%5B%5D=two', $_POST);

$data = [
    "source_id" => 22,
    "buyer" => [
        "full_name" => $_POST['name'],
        "email" => $_POST['email'],
        "phone" => $_POST['phone'],
    ],
    "shipping" => [
        "shipping_address_city" => $_POST['address_city'],
        "shipping_address_country" => $_POST['address_country'],
        "shipping_address_region" => $_POST['address_region'],
        "shipping_address_zip" => $_POST['address_zip'],
        "shipping_secondary_line" => $_POST['secondary_line'],
        "shipping_receive_point" => $_POST['receive_poin'],
        "recipient_full_name" => $_POST['recipient_full_name'],
        "recipient_phone" => $_POST['receive_phone'],
        "warehouse_ref" => $_POST['warehouse_ref'] ?? null,
        "shipping_date" => $_POST['date'],
    ],
    "marketing" => [
        "utm_source" => $_POST['utm_source'],
        "utm_medium" => $_POST['utm_medium'],
        "utm_campaign" => $_POST['utm_campaign'],
        "utm_term" => $_POST['utm_term'],
        "utm_content" => $_POST['utm_content'],
    ],
    "products" => [[
        "price" => $_POST['product_price'],
        "quantity" => 1,
        "name" => $_POST['product_name'],
        "picture" => $_POST['product_url'],
        "properties" => [["name" => "Color", "value" => "Space Gray"]],
    ]],
    "payments" => [[
        "payment_method_id" => $_POST['payment_method_id'],
        "payment_method" => $_POST['product_url'],
        "amount" => $_POST['amount'],
        "description" => $_POST['description'],
        "payment_date" => $_POST['payment_date'],
        "status" => $_POST['description'],
    ]],
    "custom_fields" => [
        ["uuid" => "LD_1021", "value" => $_POST['value']],
        ["uuid" => "LD_1022", "value" => $_POST['values']],
    ],
];

$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, getenv('ORDER_URL'));
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($data));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
curl_setopt($ch, CURLOPT_HTTPHEADER, [
    "Content-type: application/json",
    "Accept: application/json",
    "Cache-Control: no-cache",
    "Pragma: no-cache",
    'Authorization:  Bearer ' . getenv('ORDER_KEY'),
]);
echo curl_exec($ch);
