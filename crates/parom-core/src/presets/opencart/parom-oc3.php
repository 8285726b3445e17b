<?php
/*
 * Parom: send orders from OpenCart 3.x.
 * 1. Put this file at catalog/controller/event/parom.php and set the two constants.
 * 2. Register the event once (Extensions > Events shows it afterwards); mind your table prefix:
 *    INSERT INTO oc_event (`code`, `trigger`, `action`, `status`, `sort_order`)
 *    VALUES ('parom', 'catalog/model/checkout/order/addOrderHistory/after', 'event/parom', 1, 99);
 * A failure here never breaks the checkout: it is written to the PHP error log only.
 */
class ControllerEventParom extends Controller {
	const URL    = 'https://parom.example/in/shop';
	const SECRET = 'CHANGE-ME';

	// $args of addOrderHistory: 0 order id, 1 order status id, 2 comment, 3 notify, 4 override
	public function index(&$route, &$args, &$output) {
		$order_id = isset($args[0]) ? (int)$args[0] : 0;

		try {
			if ($order_id && !empty($args[1])) {	// status 0 is a draft or a deleted order
				$this->send($order_id);
			}
		} catch (\Throwable $e) {
			error_log('parom: order ' . $order_id . ': ' . $e->getMessage());
		} catch (\Exception $e) {	// PHP 5
			error_log('parom: order ' . $order_id . ': ' . $e->getMessage());
		}
		// Nothing is returned: a returned value would replace the model's answer.
	}

	private function send($order_id) {
		$this->load->model('checkout/order');
		$model = $this->model_checkout_order;
		$order = $model->getOrder($order_id);

		if (!$order) {
			return;
		}

		$products = array();

		foreach ($model->getOrderProducts($order_id) as $product) {
			$row = $this->db->query("SELECT sku FROM `" . DB_PREFIX . "product` WHERE product_id = '" . (int)$product['product_id'] . "'")->row;
			$product['sku'] = isset($row['sku']) ? $row['sku'] : '';
			$product['option'] = $model->getOrderOptions($order_id, $product['order_product_id']);
			$products[] = $product;
		}

		$history = $this->db->query("SELECT COUNT(*) AS n FROM `" . DB_PREFIX . "order_history` WHERE order_id = '" . (int)$order_id . "'")->row;

		$data = array(
			'event'    => $history['n'] > 1 ? 'order.updated' : 'order.created',
			'source'   => 'opencart3',
			'order'    => $order,
			'products' => $products,
			'vouchers' => $model->getOrderVouchers($order_id),
			'totals'   => $model->getOrderTotals($order_id)
		);

		// OpenCart stores text with HTML entities (&quot;, &amp;).
		array_walk_recursive($data, function (&$v) {
			if (is_string($v)) {
				$v = html_entity_decode($v, ENT_QUOTES, 'UTF-8');
			}
		});

		$body = json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);

		if ($body === false) {
			throw new \Exception('json: ' . json_last_error_msg());
		}

		$time = (string)time();

		$curl = curl_init(self::URL);
		curl_setopt_array($curl, array(
			CURLOPT_POST           => true,
			CURLOPT_POSTFIELDS     => $body,
			CURLOPT_RETURNTRANSFER => true,
			CURLOPT_CONNECTTIMEOUT => 3,
			CURLOPT_TIMEOUT        => 3,
			CURLOPT_HTTPHEADER     => array(
				'Content-Type: application/json',
				'X-Parom-Timestamp: ' . $time,
				'X-Parom-Signature: sha256=' . hash_hmac('sha256', $time . '.' . $body, self::SECRET)
			)
		));
		curl_exec($curl);
		$status = (int)curl_getinfo($curl, CURLINFO_HTTP_CODE);
		$error = curl_error($curl);
		curl_close($curl);

		if ($status < 200 || $status > 299) {
			throw new \Exception('not delivered: HTTP ' . $status . ' ' . $error);
		}
	}
}
