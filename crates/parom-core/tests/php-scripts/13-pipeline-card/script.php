<?php
// Заявка "Безкоштовна консультація" -> воронка в KeyCRM

if (!empty($_POST['website'])) exit; // honeypot, боти заповнюють

$leadData = [
    'title' => 'Консультація: ' . $_POST['service'],
    'source_id' => 10,
    'pipeline_id' => 3, // воронка "Ліди з сайту"
    'manager_id' => 2,
    'manager_comment' => $_POST['question'],
    'contact' => [
        'full_name' => $_POST['name'],
        'phone' => $_POST['phone'],
        'email' => $_POST['email'] ?? '',
    ],
    'utm_source' => $_GET['utm_source'] ?? '',
    'utm_medium' => $_GET['utm_medium'] ?? '',
    'utm_campaign' => $_GET['utm_campaign'] ?? '',
    'utm_term' => $_GET['utm_term'] ?? '',
    'utm_content' => $_GET['utm_content'] ?? '',
    'products' => [
        [
            'sku' => 'CONS-30',
            'name' => $_POST['service'],
            'price' => 0,
            'quantity' => 1,
        ],
    ],
    'custom_fields' => [
        ['uuid' => 'LD_1021', 'value' => $_POST['city']],
        ['uuid' => 'LD_1022', 'value' => $_POST['topics']], // topics[] - мультисписок
    ],
];

$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, "https://openapi.keycrm.app/v1/pipelines/cards");
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($leadData));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
curl_setopt($ch, CURLOPT_HTTPHEADER, [
    "Content-type: application/json",
    "Accept: application/json",
    "Cache-Control: no-cache",
    "Pragma: no-cache",
    'Authorization: Bearer ' . 'YTQ0made-up-key-0013',
]);
$result = curl_exec($ch);
curl_close($ch);

echo json_encode(array('success' => true));
