<?php // Small scripts that a channel carries whole, and has nothing to say of. One between two lines of `//`.
//
$d = $_POST; $d['phone'] = trim($d['phone']); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
//
$d = $_POST; $d['city'] = 'Lviv'; $data['buyer_comment'] = $d['name'] . ' ' . $d['city'];
//
$_POST['city'] = 'Lviv'; $d = $_POST; $data['buyer_comment'] = $d['name'] . ' ' . $d['city'];
//
$d = array_merge(['city' => 'Lviv', 'call' => '7'], $_POST); $data['buyer_comment'] = $d['city'] . ' ' . $d['call'] . $d['name'];
//
$d = array_merge($_POST, ['city' => 'Lviv']); $data['buyer_comment'] = $d['city'] . ' ' . $d['name'];
//
$d = $_POST + ['city' => 'Lviv']; $data['buyer_comment'] = $d['city'] . ' ' . $d['name'];
//
$d = ['city' => 'Lviv'] + $_POST; $data['buyer_comment'] = $d['city'] . ' ' . $d['name'];
//
$d = [...$_POST, 'city' => 'Lviv']; $data['buyer_comment'] = $d['city'] . ' ' . $d['name'];
//
$d = array_merge($_GET, $_POST); $data['buyer_comment'] = $d['name'];
//
$d = $_POST; unset($d['city']); $data['buyer_comment'] = $d['city'] . $d['name'];
//
$d = json_decode(file_get_contents('php://input'), true) ?: $_POST; $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
//
$d = json_decode(file_get_contents('php://input'), true) ?? $_POST; $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
//
$d = json_decode(file_get_contents('php://input'), true); if (empty($d)) { $d = $_POST; } $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
//
$d = json_decode(file_get_contents('php://input'), true); if (!is_array($d)) { $d = $_POST; } $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
if ($d['call']) { $data['buyer_comment'] = 'call'; } else { $data['buyer_comment'] = 'no call'; }
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
$data['buyer_comment'] = $d['kind'] == 5 ? 'five' : 'other';
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
$data['buyer_comment'] = isset($d['note']) ? 'noted' : 'none';
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
$data['buyer_comment'] = $d['note'] ?? 'nothing'; $data['manager_comment'] = $d['kind'] ?: 'nothing';
//
$d = json_decode(file_get_contents('php://input')); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d->name, 'phone' => $d->phone]];
if (!empty($d->tags) && $d->call === true) { $data['buyer_comment'] = 'tags'; }
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
$data['buyer_comment'] = in_array($d['kind'], [4, 5]) ? 'some' : 'other';
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
$names = [0 => 'nought', 5 => 'five']; $data['buyer_comment'] = $names[$d['kind']];
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
switch ($d['kind']) { case 5: $data['buyer_comment'] = 'five'; break; case 0: $data['buyer_comment'] = 'nought'; break; }
//
if ($_POST['call']) { $data['buyer_comment'] = 'call'; } else { $data['buyer_comment'] = 'no call'; }
//
$data['buyer_comment'] = $_POST['call'] == 1 ? 'one' : 'other';
//
foreach (['comment', 'city'] as $f) { if (!empty($_POST[$f])) { $data['buyer_comment'] = $_POST[$f]; } }
//
foreach ($_POST['items'] as $i) { $data['products'][] = ['name' => $i['name'], 'price' => $i['price'], 'quantity' => $i['qty']]; }
//
foreach (['full_name' => 'name', 'email' => 'email'] as $to => $from) { $data['buyer'][$to] = $_POST[$from]; }
//
foreach ([1, 2, 3] as $n) { if ($n == 2) { break; } $data['buyer_comment'] = "n$n"; }
//
foreach ([1, 2, 3] as $n) { if ($n > 1) { continue; } $data['buyer_comment'] = "n$n"; }
//
function kind($x) { foreach (['gift' => 'A', 'plain' => 'B'] as $k => $v) { if ($k === $x) { return $v; } } return 'C'; }
$data['buyer_comment'] = kind($_POST['kind']);
//
function table($k) { foreach (['a' => 1, 'b' => 2] as $key => $v) { if ($key == $k) { return $v; } } }
$data['buyer_comment'] = 'n' . table('b');
//
if ($_SERVER['REQUEST_METHOD'] === 'POST') { send(json_encode($data)); } else { echo 'no'; }
//
if (!empty($_POST)) { send(json_encode($data)); } else { http_response_code(400); }
//
if ($_SERVER['REQUEST_METHOD'] !== 'POST') { exit; }
//
$n = $_POST['qty'] ?: '1'; $data['buyer_comment'] = "n$n";
//
$city = 'none'; extract($_POST); $data['buyer_comment'] = $city;
//
foreach ($_POST as $k => $v) { $$k = $v; } $data['buyer_comment'] = $kind;
//
switch ($_POST['kind']) { case 'gift': $data['buyer_comment'] = 'gift'; break; default: $data['buyer_comment'] = 'plain'; }
//
try { $data['buyer_comment'] = 'x'; } finally { $data['manager_comment'] = 'y'; }
//
function done() { header('Location: /thanks'); exit; } send(json_encode($data)); done();
//
$_POST = array_map(function ($v) { return is_array($v) ? $v : trim($v); }, $_POST); $data['buyer_comment'] = $_POST['city'];
//
$data['buyer_comment'] = $_POST['nothing'] == 0 ? 'nought' : 'some'; $data['manager_comment'] = $_POST['qty'] != 0 ? 'some' : 'nought';
//
$data['buyer_comment'] = $_POST['qty'] == null ? 'none' : 'some'; $data['manager_comment'] = $_POST['nothing'] === null ? 'none' : 'some';
//
ksort($data);
//
try { if ($_POST['call']) { $data['buyer_comment'] = 'x'; } } catch (Exception $e) { exit; } $data['manager_comment'] = 'y';
//
if (isset($_POST['submit']) || !empty($_POST)) { send(json_encode($data)); }
//
$city = 'none'; $f = 'city'; $$f = $_POST['city']; $data['buyer_comment'] = $city;
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
$data['buyer_comment'] = $d['call'] == 1 ? 'call' : 'no call'; $data['manager_comment'] = $d['call'] == '0' ? 'no call' : 'call';
$data['promocode'] = ($d['paid'] === 1 ? 'a' : 'b') . ($d['paid'] === '1' ? 'c' : 'd') . ($d['call'] === true ? 'e' : 'f') . ($d['paid'] === true ? 'g' : 'h') . ($d['absent'] == 0 ? 'i' : 'j');
//
$c = 'From the site'; if ($_POST['kind'] == 'gift') { $c .= ' (a gift)'; } $data['buyer_comment'] = $c;
//
$c = $_POST['name']; if ($_POST['kind'] == 'gift') { $c .= ' (a gift)'; } if ($_POST['call'] == 1) { $c .= '; call'; } $data['buyer_comment'] = $c;
//
$data['buyer_comment'] = $_POST['name'] . ($_POST['kind'] ? ' has chosen' : ' has not');
//
$data['buyer_comment'] = !(($_POST['city'] && ($_POST['call'] == '1' ? true : $_POST['qty'] > 1))) ? 'no' : 'yes';
//
$data['buyer_comment'] = $_POST['nothing'] === '' ? 'empty' : 'absent'; $data['manager_comment'] = $_POST['kind'] !== '' ? 'some' : 'none';
//
$d = json_decode(file_get_contents('php://input'), true); $data = ['source_id' => 3, 'buyer' => ['full_name' => $d['name'], 'phone' => $d['phone']]];
$data['buyer_comment'] = ($d['call'] ? 'call ' : 'no call ') . $d['name'] . $d['note'];
//
$log = json_encode($_POST); send(json_encode($data)); if ($log === false) { exit; }
//
$d = json_decode('{"a":1}', true); foreach (json_decode($_POST['cart'], true) as $i) { $data['products'][] = ['name' => $i['name'], 'price' => $i['price'], 'quantity' => $i['qty'] == 2 ? 20 : $i['qty'], 'comment' => $i['gift'] ? 'gift' : 'no gift']; }
//
$data['buyer_comment'] = count($_POST['items']) == 2 ? 'two' : 'other'; $data['manager_comment'] = $_POST['price'] + $_POST['qty'] == 12 ? 'twelve' : 'other';
//
$data['buyer_comment'] = $_POST['price'] > '9' ? 'much' : 'little';
//
$discount = 'none'; !empty($_POST['email']) && $discount = 'ten'; $data['buyer_comment'] = $discount;
//
$source = 'site'; isset($_POST['email']) and $source = 'mail'; $data['buyer_comment'] = $source;
//
$_POST['call'] == 1 ? $w = 'one' : $w = 'two'; $data['buyer_comment'] = $w;
//
function shipping() { if ($_POST['call'] == '1') { return null; } return ['shipping_address_city' => 'Kyiv', 'shipping_receive_point' => '5']; } $data['shipping'] = shipping();
//
$data['buyer_comment'] = implode(', ', array_filter([$_POST['city'], $_POST['comment'], $_POST['kind'], 'end']));
//
$a = []; $a['city'] = $_POST['name']; $a['street'] = $_POST['phone']; $data['buyer_comment'] = implode(', ', $a);
//
$data['buyer_comment'] = implode('; ', $_POST['opt']);
//
$data['buyer_comment'] = ['none', 'one', 'two'][$_POST['qty']];
//
$b = json_decode(file_get_contents('php://input')); $b->name = $b->name . ' X'; $data = ['source_id' => 3, 'buyer' => ['full_name' => $b->name, 'phone' => $b->phone]];
//
$o = (object) $data ; $o->manager_comment = $_POST['name']; send(json_encode($o));
//
$o = new stdClass(); $o->source_id = 3; $o->buyer = ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]; send(json_encode($o));
//
$data['buyer_comment'] = "\u{263A} \x41 \101 \$x \"q\"";
//
$data['buyer_comment'] = <<<TEXT
    Name: {$_POST['name']}
      Phone: {$_POST['phone']}
    TEXT;
//
$data['products'] = [['name' => 'Tea', 'price' => 5, 'quantity' => 1]]; if (!empty($_POST['email'])) { $data['products'][0]['sku'] = $_POST['email']; } if (!empty($_POST['city'])) { $data['products'][0]['comment'] = $_POST['city']; }
//
function outer() { function inner($d) { send(json_encode($d)); } inner(['source_id' => 3, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]]); } outer();
//
class Base { public $source = 3; function order() { return ['source_id' => $this->source, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]]; } }
class Shop extends Base { function run() { send(json_encode($this->order())); } } (new Shop())->run();
//
$d = $_POST; $d = is_array($d) ? $d : []; $data['buyer_comment'] = $d['name'];
//
foreach ($_POST['items'] as $i) { $t = $i['name']; $t .= ' x'; $data['products'][] = ['name' => $t, 'price' => $i['price'], 'quantity' => $i['qty']]; }
//
call_user_func('deliver', $data); function deliver($d) { send(json_encode($d)); }
