<?php

/**
 * Sends orders from the landing page to KeyCRM.
 */
class KeyCrmSender
{
    private const BASE = 'https://openapi.keycrm.app/v1';
    const SOURCE = 15;

    private $apiKey;
    private $currency = 'UAH';
    protected int $timeout = 15;
    private $deliveryId = 4; // Укрпошта

    public function __construct($apiKey)
    {
        $this->apiKey = $apiKey;
    }

    private function buildOrder(array $post): array
    {
        return [
            'source_id' => self::SOURCE,
            'buyer' => [
                'full_name' => $post['customer_name'],
                'phone' => $post['customer_phone'],
                'email' => $post['customer_email'] ?? null,
            ],
            'shipping' => $this->buildShipping($post),
            'products' => [
                [
                    'sku' => $post['sku'],
                    'name' => $post['title'],
                    'price' => (float) $post['price'],
                    'quantity' => (int) ($post['quantity'] ?? 1),
                    'comment' => 'Ціна в ' . $this->currency,
                ],
            ],
            'marketing' => [
                'utm_source' => $post['utm_source'] ?? '',
                'utm_campaign' => $post['utm_campaign'] ?? '',
            ],
        ];
    }

    private function buildShipping(array $p): array
    {
        return [
            'delivery_service_id' => $this->deliveryId,
            'shipping_address_city' => $p['city'],
            'shipping_address_zip' => $p['zip'],
            'shipping_secondary_line' => $p['street'],
        ];
    }

    public function send(array $post)
    {
        $body = json_encode($this->buildOrder($post), JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
        $ch = curl_init();
        curl_setopt_array($ch, [
            CURLOPT_URL => self::BASE . '/order',
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => $this->timeout,
            CURLOPT_HTTPHEADER => [
                'Content-Type: application/json',
                'Accept: application/json',
                'Authorization: Bearer ' . $this->apiKey,
            ],
        ]);
        $response = curl_exec($ch);
        curl_close($ch);

        return json_decode((string) $response, true);
    }
}

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $crm = new KeyCrmSender('YTQ0made-up-key-0005');
    $crm->send($_POST);
    header('Location: /thank-you/');
    exit;
}
