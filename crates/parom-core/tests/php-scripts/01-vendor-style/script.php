<?php
// Відправка замовлення з лендінгу в KeyCRM
$data = [
    "source_id" => 22, // в какой источник в KeyCRM добавлять заказы
    "buyer_comment" => $_POST['comment'], // комментарий клиента
    "buyer" => [
        "full_name" => $_POST['name'], // ФИО покупателя
        "email" => $_POST['email'],
        "phone" => $_POST['phone'] // телефон, с плюсом
    ],
    "shipping" => [
        "delivery_service_id" => 1, // 1 - Новая Почта
        "shipping_address_city" => $_POST['address_city'], // город
        "shipping_address_country" => $_POST['address_country'], // страна
        "shipping_address_region" => $_POST['address_region'], // область
        "shipping_address_zip" => $_POST['address_zip'], // индекс
        "shipping_secondary_line" => $_POST['secondary_line'],
        "shipping_receive_point" => $_POST['receive_point'], // отделение
        "recipient_full_name" => $_POST['recipient_full_name'], // если отличается от покупателя
        "recipient_phone" => $_POST['receive_phone'],
        "warehouse_ref" => $_POST['warehouse_ref'],
        "shipping_date" => $_POST['date'],
    ],
    "marketing" => [
        "utm_source" => $_POST['utm_source'],
        "utm_medium" => $_POST['utm_medium'],
        "utm_campaign" => $_POST['utm_campaign'],
        "utm_term" => $_POST['utm_term'],
        "utm_content" => $_POST['utm_content'],
    ],
    "products" => [
        [
            "sku" => $_POST['product_sku'],
            "price" => $_POST['product_price'], // цена продажи
            "quantity" => 1, // количество
            "name" => $_POST['product_name'], // название товара
            "picture" => $_POST['product_url'], // картинка товара
            "properties" => [
                [
                    "name" => "Колір",
                    "value" => $_POST['color']
                ],
                [
                    "name" => "Пам'ять",
                    "value" => "256 GB"
                ]
            ]
        ]
    ],
    "payments" => [
        [
            "payment_method_id" => $_POST['payment_method_id'],
            "amount" => $_POST['amount'], // сумма платежа
            "description" => $_POST['description'],
            "payment_date" => $_POST['payment_date'],
            "status" => $_POST['payment_status'], // paid, not_paid, canceled
        ]
    ],
    "custom_fields" => [
        [
            "uuid" => "OR_1021",
            "value" => $_POST['instagram']
        ],
        [
            "uuid" => "OR_1022", // мультисписок, передаём массив строк
            "value" => [$_POST['gift1'], $_POST['gift2']]
        ]
    ]
];

//  "упаковываем данные"
$data_string = json_encode($data);

// Ваш уникальный API ключ KeyCRM
$token = 'YTQ0made-up-key-0001';

// отправляем на сервер
$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, "https://openapi.keycrm.app/v1/order");
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, $data_string);
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
curl_setopt($ch, CURLOPT_HTTPHEADER, array(
    "Content-type: application/json",
    "Accept: application/json",
    'Authorization:  Bearer ' . $token
));
$result = curl_exec($ch);
curl_close($ch);
header('Location: /thanks.html');
