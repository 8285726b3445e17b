<?php
// Один файл на две формы: "order" - заказ, "callback" - обратный звонок

$token  = 'YTQ0made-up-key-0016';
$host   = 'https://openapi.keycrm.app/v1';
$fields = $_POST;

switch ($_POST['form']) {
    case 'order':
        $path = '/order';
        $data = [
            'source_id' => 5,
            'buyer' => [
                'full_name' => $fields['name'],
                'phone' => $fields['phone'],
            ],
            'shipping' => [
                'shipping_address_city' => $fields['city'],
            ],
            'products' => [
                [
                    'sku' => $fields['sku'],
                    'name' => $fields['product'],
                    'price' => $fields['price'],
                    'quantity' => 1,
                ],
            ],
        ];
        // на лендинге с опт. ценами другой источник
        if ($fields['lp'] == 'opt') {
            $data['source_id'] = 8;
            $data['manager_comment'] = 'ОПТ';
        } else {
            $data['manager_comment'] = 'Роздріб';
        }
        break;

    case 'callback':
    default:
        $path = '/pipelines/cards';
        $data = [
            'title' => 'Зворотній дзвінок',
            'source_id' => 5,
            'pipeline_id' => 1,
            'contact' => [
                'full_name' => $fields['name'],
                'phone' => $fields['phone'],
            ],
        ];
}

if (isset($_GET['utm_source'])) {
    if ($path == '/order') {
        $data['marketing'] = ['utm_source' => $_GET['utm_source'], 'utm_medium' => $_GET['utm_medium']];
    } else {
        $data['utm_source'] = $_GET['utm_source'];
        $data['utm_medium'] = $_GET['utm_medium'];
    }
}

$ch = curl_init($host . $path);
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($data, JSON_UNESCAPED_UNICODE));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
curl_setopt($ch, CURLOPT_HTTPHEADER, array('Content-Type: application/json', 'Authorization: Bearer ' . $token));
$result = curl_exec($ch);
curl_close($ch);

echo 'ok';
