<?php
/*
 * zakaz.php - обработчик формы "Купить в 1 клик"
 */
error_reporting(0);

define('CRM_HOST', 'https://openapi.keycrm.app');
define("CRM_KEY", "YTQ0made-up-key-0002");
const SOURCE_ID = 7;      // источник "Сайт"
const DELIVERY_NP = 2;    // Новая Почта в справочнике
const PRODUCT_NAME = 'Ортопедична подушка "Сон"';

$url = CRM_HOST . '/v1/order';

if ( empty($_REQUEST['phone']) )
{
	die('Не указан телефон');
}

$order = array(
	'source_id'   => SOURCE_ID,
	'source_uuid' => $_REQUEST['order_id'],
	'buyer'       => array(
		'full_name' => $_REQUEST['fio'],
		'phone'     => $_REQUEST['phone'],
	),
	'shipping'    => array(
		'delivery_service_id'    => DELIVERY_NP,
		'shipping_address_city'  => $_REQUEST['city'],
		'shipping_receive_point' => $_REQUEST['warehouse'],
	),
	'marketing'   => array(
		'utm_source'   => $_REQUEST['utm_source'],   // приходит в адресе
		'utm_medium'   => $_REQUEST['utm_medium'],
		'utm_campaign' => $_REQUEST['utm_campaign'],
	),
	'products'    => array(
		array(
			'sku'      => 'PIL-01',
			'name'     => PRODUCT_NAME,
			'price'    => 1190.00,
			'quantity' => $_REQUEST['count'],
		),
	),
);

$curl = curl_init();
curl_setopt_array($curl, array(
	CURLOPT_URL            => $url,
	CURLOPT_RETURNTRANSFER => true,
	CURLOPT_TIMEOUT        => 30,
	CURLOPT_CUSTOMREQUEST  => 'POST',
	CURLOPT_POSTFIELDS     => json_encode($order, JSON_UNESCAPED_UNICODE),
	CURLOPT_HTTPHEADER     => array(
		'Content-Type: application/json',
		'Accept: application/json',
		'Authorization: Bearer ' . CRM_KEY,
	),
));
$response = curl_exec($curl);
curl_close($curl);
?>
<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Спасибо!</title></head>
<body><h1>Спасибо, <?= htmlspecialchars($_REQUEST['fio']) ?>! Мы вам перезвоним.</h1></body></html>
