<?php
// Безпечне читання полів форми
$phone = filter_input(INPUT_POST, 'phone');
$name  = filter_input(INPUT_POST, 'name', FILTER_SANITIZE_SPECIAL_CHARS);
$email = filter_input(INPUT_POST, 'email', FILTER_VALIDATE_EMAIL);
$qty   = filter_input(INPUT_POST, 'qty', FILTER_VALIDATE_INT, ['options' => ['default' => 1, 'min_range' => 1]]);
$price = filter_var($_POST['price'], FILTER_VALIDATE_FLOAT);
$agree = filter_var($_POST['agree'] ?? 'off', FILTER_VALIDATE_BOOLEAN);

if (!$phone || !$agree) {
    header('Location: /?error=1');
    exit;
}

$referer = $_SERVER['HTTP_REFERER'] ?? '';

$data = [
    'source_id' => 13,
    'manager_comment' => 'Сторінка: ' . $referer,
    'buyer' => [
        'full_name' => $name,
        'phone' => $phone,
        'email' => $email ?: null,
    ],
    'marketing' => [
        // куки ставить GTM на 30 днів
        'utm_source' => $_COOKIE['utm_source'] ?? '',
        'utm_medium' => $_COOKIE['utm_medium'] ?? '',
        'utm_campaign' => filter_input(INPUT_COOKIE, 'utm_campaign'),
        'utm_term' => filter_input(INPUT_GET, 'utm_term'),
    ],
    'products' => [[
        'sku' => filter_input(INPUT_POST, 'sku', FILTER_DEFAULT),
        'name' => filter_input(INPUT_POST, 'product'),
        'price' => $price,
        'quantity' => $qty,
    ]],
    'custom_fields' => [
        ['uuid' => 'OR_1031', 'value' => $_COOKIE['_ga'] ?? ''],
        ['uuid' => 'OR_1032', 'value' => $_SERVER['HTTP_USER_AGENT']],
        ['uuid' => 'OR_1033', 'value' => $_SERVER['REMOTE_ADDR']],
    ],
];

$curl = curl_init();

curl_setopt_array($curl, [
    CURLOPT_URL => "https://openapi.keycrm.app/v1/order",
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_ENCODING => "",
    CURLOPT_MAXREDIRS => 10,
    CURLOPT_TIMEOUT => 30,
    CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1,
    CURLOPT_CUSTOMREQUEST => "POST",
    CURLOPT_POSTFIELDS => json_encode($data),
    CURLOPT_HTTPHEADER => [
        "Authorization: Bearer YTQ0made-up-key-0015",
        "Content-Type: application/json",
    ],
]);

$response = curl_exec($curl);
$err = curl_error($curl);
curl_close($curl);

echo $err ? "cURL Error #:" . $err : $response;
