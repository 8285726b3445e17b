<?php // Small scripts that a channel does not carry whole; each must be told of. One between two lines of `//`.
//
foreach ($_POST['items'] as $i) { $data['products'][] = ['name' => $i['name'], 'price' => $i['price'], 'quantity' => 1]; break; }
//
function first($items) { foreach ($items as $i) { if ($i['price'] > 6) { return $i['name']; } } return 'none'; }
$data['buyer_comment'] = first($_POST['items']);
//
function first($items) { foreach ($items as $i) { return $i['name']; } }
$data['buyer_comment'] = first($_POST['items']);
//
foreach (['name', 'email'] as $f) { if (empty($_POST[$f])) { exit; } }
//
foreach ($_POST['items'] as $i) { if ($i['qty'] > 1) { break; } $data['products'][] = ['name' => $i['name'], 'price' => 1, 'quantity' => 1]; }
//
$d = $_POST['tags']; $d[] = 'more'; $data['custom_fields'] = [['uuid' => 'CT_1', 'value' => $d]];
//
$d = array_merge($_POST, $_GET, ['comment' => 'x'], load()); $data['buyer_comment'] = $d['comment'];
function load() { return json_decode(file_get_contents('/nowhere'), true) ?: ['comment' => 'z']; }
//
if ($_POST['call'] == '1') { send(json_encode($data)); } else { echo 'no'; }
//
if ($_POST['call'] == '1') { echo 'no'; } else { send(json_encode($data)); }
//
if (isset($_POST['name']) && $_POST['call'] == '1') { send(json_encode($data)); }
//
if ($_SERVER['REQUEST_METHOD'] == 'POST' && $_POST['call'] == '1') { send(json_encode($data)); }
//
if (isset($_POST['email'])) { send(json_encode($data)); }
//
$_POST['email'] or die('no');
//
if (!$_POST['email'] and exit()) { }
//
$mail = $_POST['email'] ?? die('no'); $data['buyer']['email'] = $mail;
//
$mail = $_POST['email'] ?: exit; $data['buyer']['email'] = $mail;
//
$mail = $_POST['email'] ? $_POST['email'] : die('no'); $data['buyer']['email'] = $mail;
//
$mail = $_POST['email'] ?? throw new Exception('no'); $data['buyer']['email'] = $mail;
//
switch ($_POST['kind']) { case 'gift': exit; default: $data['buyer_comment'] = 'plain'; }
//
switch ($_POST['kind']) { case 'gift': $data['buyer_comment'] = 'gift'; break; default: die('no'); }
//
$list = [['name' => 'A', 'price' => 1, 'quantity' => 1], ['name' => 'B', 'price' => 2, 'quantity' => 1]]; array_shift($list); $data['products'] = $list;
//
$list = [['name' => 'A', 'price' => 1, 'quantity' => 1]]; array_unshift($list, ['name' => 'B', 'price' => 2, 'quantity' => 1]); $data['products'] = $list;
//
$list = [['name' => 'A', 'price' => 1, 'quantity' => 1], ['name' => 'B', 'price' => 2, 'quantity' => 1]]; array_pop($list); $data['products'] = $list;
//
$list = ['b', 'a']; sort($list); $data['buyer_comment'] = implode(',', $list);
//
$m = ['x', 'y']; preg_match('/(l)/', $_POST['name'], $m); $data['buyer_comment'] = $m[1];
//
$out = ['name' => 'x']; parse_str('name=y', $out); $data['buyer_comment'] = $out['name'];
//
array_walk($data['buyer'], function (&$v) { $v = strtoupper($v); });
//
array_walk($_POST, function (&$v) { $v = strtoupper($v); }); $data['buyer_comment'] = $_POST['city'];
//
$list = ['a', 'b', 'c']; array_splice($list, 1, 1); $data['buyer_comment'] = implode(',', $list);
//
$city = 'none'; $f = $_POST['kind']; $$f = $_POST['city']; $gift = $gift ?? 'no'; $data['buyer_comment'] = $city . $gift;
//
foreach (['call', 'kind'] as $f) { if (!empty($_POST[$f])) { $data['buyer_comment'] = $f; break; } }
//
$n = 1; while ($n < 3) { $n = $n + 1; $data['buyer_comment'] = 'x'; }
//
$data['buyer_comment'] = nl2br($_POST['name'] . "\n" . $_POST['city']);
//
try { check($_POST['call']); } catch (Exception $e) { exit; }
function check($x) { if ($x == '1') { throw new Exception('no'); } }
//
$data['products'] = [['name' => 'A', 'price' => 2, 'quantity' => (int) '1.5' + (int) ($_POST['price'] / 4)]];
//
function fail() { echo 'no'; exit; } if (empty($_POST['email'])) { fail(); }
//
class Form { public $order = []; function mail() { if (!$_POST['email']) { return false; } $this->order['buyer_comment'] = 'mailed'; return true; } }
$f = new Form(); $f->mail(); $data = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]] + $f->order;
//
function fill(&$d) { if (!$_POST['email']) { return; } $d['buyer_comment'] = 'mailed'; } fill($data);
//
if (!$_POST['email']) { return; }
//
function handle() { if (!$_POST['email']) { return; } send(json_encode(['source_id' => 3, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]])); } handle();
//
switch ($_POST['kind']) { case 'gift': send(json_encode($data)); break; }
//
if ($_POST['city'] == 'Kyiv') { echo json_encode(['success' => false]); } else { send(json_encode($data)); }
//
if ($_POST['city'] == 'Kyiv') { echo json_encode(['status' => 'fail']); exit; } send(json_encode($data));
//
$data = json_decode(file_get_contents('php://input'), true); $data['source_id'] = 5; $data['buyer'] = ['phone' => $data['phone']]; $data['buyer_comment'] = $data['note'] ?? 'none'; $data['manager_comment'] = $data['x']; $data['source_uuid'] = $data['uuid']; foreach ($data['items'] as $i) { $data['products'][] = ['name' => $i['name'], 'price' => 1, 'quantity' => 1]; break; }
//
if ($_POST['button'] == 'x' || $_POST['sender_city'] != 'x') { exit; }
//
if ($_POST['sender_city'] == '') { exit; }
//
$n = 0; foreach ($_POST['items'] as $i) { $n = $n + 1; $data['products'][] = ['name' => $i['name'], 'price' => $n, 'quantity' => 1]; }
//
!empty($_POST['email']) && send(json_encode($data));
//
$_POST['email'] or fail(); function fail() { exit; }
//
function order() { if (!$_POST['email']) { return false; } return ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]]; }
$data = order(); if ($data) { send(json_encode($data)); }
//
$data['buyer_comment'] = match ($_POST['kind']) { 'gift' => 'A', 'other' => 'B' };
//
$s = 0; foreach ($_POST['items'] as $i) { $s = $s + $i['price'] * $i['qty']; } $data['shipping_price'] = $s;
//
$mail = substr($_POST['phone'], 1) . '@x.ua'; $data['buyer']['email'] = $mail;
//
$clean = []; foreach ($_POST as $k => $v) { if (!empty($v)) { $clean[$k] = trim($v); } } $data['buyer_comment'] = $clean['kind']; $data['manager_comment'] = $clean['qty'];
//
class Client { function __call($name, $with) { send(json_encode($with[0])); } } $make = 'Client'; $client = new $make();
$ready = $client; if ($_POST['email']) { $ready->createOrder($data); } else { echo 'no'; }
//
if ($_POST['call'] == '1') { send(json_encode($data)); } else { exit; }
//
if ($_POST['call'] == '1') { exit; } else { send(json_encode($data)); }
//
if ($_POST['call'] == '1') { send(json_encode($data)); exit; }
//
function go($d) { if ($_POST['call'] != '1') { return; } send(json_encode($d)); } go($data);
//
function ok() { return $_POST['call'] == '1'; } if (ok()) { send(json_encode($data)); }
//
switch ($_POST['call']) { case '1': send(json_encode($data)); exit; default: die('no'); }
//
while ($_POST['call'] == '1') { send(json_encode($data)); break; }
//
foreach ($_POST['tags'] as $t) { send(json_encode($data)); }
//
try { if ($_POST['call'] != '1') { throw new Exception('no'); } send(json_encode($data)); } catch (Exception $e) { echo 'no'; }
