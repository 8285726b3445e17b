<?php
interface Crm
{
    const URL = 'https://openapi.keycrm.app/v1/order';
}

final class KeyCrm implements Crm
{
    private static $source = 0x3;
    private static $items = [];

    public static function source($id)
    {
        self::$source = $id;
    }

    public static function add($sku, $name, $price, $quantity = 1)
    {
        static::$items[] = compact('sku', 'name', 'price', 'quantity');
    }

    public static function send(array $buyer)
    {
        $ch = curl_init('https://openapi.keycrm.app/v1/order');
        curl_setopt($ch, CURLOPT_POST, 1);
        curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode([
            'source_id' => self::$source,
            'buyer' => $buyer,
            'products' => self::$items,
        ]));
        curl_setopt($ch, CURLOPT_HTTPHEADER, ['Content-Type: application/json', 'Authorization: Bearer MTI3made-up-key-0020']);
        return curl_exec($ch);
    }
}

KeyCrm::source(9);
KeyCrm::add($_POST['sku'], $_POST['product'], $_POST['price']);
KeyCrm::add(name: 'Листівка', sku: 'GIFT-1', price: 0);
KeyCrm::send(['full_name' => $_POST['name'], 'phone' => $_POST['phone']]);
