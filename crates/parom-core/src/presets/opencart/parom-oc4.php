<?php
/*
 * Parom: send orders from OpenCart 4.x.
 * 1. Put this file at catalog/controller/event/parom.php and set the two constants.
 * 2. Register the event once (Extensions > Events shows it afterwards); mind your table prefix:
 *    INSERT INTO oc_event (`code`, `description`, `trigger`, `action`, `status`, `sort_order`)
 *    VALUES ('parom', 'Parom', 'catalog/model/checkout/order?addHistory/after', 'event/parom', 1, 99);
 *    The "?" stands for any one character: the event is called order/addHistory in 4.0.x and
 *    order.addHistory in 4.1.0.4 and newer.
 * A failure here never breaks the checkout: it is written to the PHP error log only.
 */
namespace Opencart\Catalog\Controller\Event;

class Parom extends \Opencart\System\Engine\Controller {
	private const URL    = 'https://parom.example/in/shop';
	private const SECRET = 'CHANGE-ME';

	// $args of addHistory: 0 order id, 1 order status id, 2 comment, 3 notify, 4 override
	public function index(string &$route, array &$args, mixed &$output): void {
		$order_id = (int)($args[0] ?? 0);

		try {
			if ($order_id && !empty($args[1])) {	// status 0 is a draft or a deleted order
				$this->send($order_id);
			}
		} catch (\Throwable $e) {
			error_log('parom: order ' . $order_id . ': ' . $e->getMessage());
		}
	}

	private function send(int $order_id): void {
		$this->load->model('checkout/order');
		$model = $this->model_checkout_order;
		$order = $model->getOrder($order_id);

		if (!$order) {
			return;
		}

		unset($order['products'], $order['totals']);	// sent below, the same way in every 4.x
		$products = [];

		foreach ($model->getProducts($order_id) as $product) {
			$row = $this->db->query("SELECT * FROM `" . DB_PREFIX . "product` WHERE `product_id` = '" . (int)$product['product_id'] . "'")->row;
			$product['sku'] = $row['sku'] ?? '';	// the column is gone in the newest versions
			$product['option'] = $model->getOptions($order_id, (int)$product['order_product_id']);
			$products[] = $product;
		}

		$history = $this->db->query("SELECT COUNT(*) AS n FROM `" . DB_PREFIX . "order_history` WHERE `order_id` = '" . $order_id . "'")->row;

		$data = [
			'event'    => $history['n'] > 1 ? 'order.updated' : 'order.created',
			'source'   => 'opencart4',
			'order'    => $order,
			'products' => $products,
			'totals'   => $model->getTotals($order_id)
		];

		// OpenCart stores text with HTML entities (&quot;, &amp;).
		array_walk_recursive($data, function (&$v): void {
			if (is_string($v)) {
				$v = html_entity_decode($v, ENT_QUOTES, 'UTF-8');
			}
		});

		$body = json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
		$time = (string)time();

		$curl = curl_init(self::URL);
		curl_setopt_array($curl, [
			CURLOPT_POST           => true,
			CURLOPT_POSTFIELDS     => $body,
			CURLOPT_RETURNTRANSFER => true,
			CURLOPT_CONNECTTIMEOUT => 3,
			CURLOPT_TIMEOUT        => 3,
			CURLOPT_HTTPHEADER     => [
				'Content-Type: application/json',
				'X-Parom-Timestamp: ' . $time,
				'X-Parom-Signature: sha256=' . hash_hmac('sha256', $time . '.' . $body, self::SECRET)
			]
		]);
		curl_exec($curl);
		$status = (int)curl_getinfo($curl, CURLINFO_HTTP_CODE);
		$error = curl_error($curl);
		curl_close($curl);

		if ($status < 200 || $status > 299) {
			throw new \RuntimeException('not delivered: HTTP ' . $status . ' ' . $error);
		}
	}
}
