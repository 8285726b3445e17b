<?php
/*
 * Sends orders to the gateway and loses none: each is on this disk before it goes, until the gateway has it.
 *   require_once __DIR__ . '/parom.php';
 *   $safe = parom_send($_POST);   // false: it was refused, or could neither be kept nor sent; tell the buyer
 *   php parom.php drain           // from cron, as the web server's user: sends what waits
 */
const PAROM_URL = 'https://gateway.example/in/shop';
const PAROM_TOKEN = '';                         // the channel's, if it has one
const PAROM_SPOOL = __DIR__ . '/parom-spool';   // better a folder that the web server does not serve

/** True if the order is safe: accepted, or kept. $key: the order's own number, if it has one. */
function parom_send(array $order, string $url = PAROM_URL, string $token = PAROM_TOKEN, string $key = ''): bool
{
    $random = bin2hex(random_bytes(16));
    // A random part in the file's name: nobody guesses it, where the folder is served after all.
    $name = $key === '' ? $random : preg_replace('/[^A-Za-z0-9-]/', '_', substr($key, 0, 100)) . ".$random";
    // A header takes neither spaces nor Cyrillic.
    $key = preg_match('/^[!-~]{1,255}$/D', $key) ? $key : ($key === '' ? $random : hash('sha256', $key));
    $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR;
    $kept = ['key' => $key, 'url' => $url, 'at' => gmdate('c'), 'body' => json_encode($order, $flags)];
    $kept += $token === PAROM_TOKEN ? [] : ['token' => $token];   // a new PAROM_TOKEN holds for old orders too
    $file = parom_keep($name, json_encode($kept, $flags) . "\n");
    $outcome = parom_try($kept, $file, 5.0);
    if ($outcome === 'accepted') {
        parom_drain(5, 3.0);
    }
    return $outcome === 'accepted' || $outcome === 'waiting' && $file !== '';
}

/** Writes a spool file, which has its name only once it is whole; '' if that cannot be done. */
function parom_keep(string $name, string $line): string
{
    $path = PAROM_SPOOL . "/$name";
    @mkdir(PAROM_SPOOL, 0700, true);
    foreach (['.htaccess' => "Require all denied\n", 'index.php' => ''] as $guard => $text) {
        file_exists(PAROM_SPOOL . "/$guard") || @file_put_contents(PAROM_SPOOL . "/$guard", $text);
    }
    if ($handle = @fopen("$path.tmp", 'xb')) {
        @chmod("$path.tmp", 0600);
        $whole = @fwrite($handle, $line) === strlen($line) && fflush($handle);
        $whole = $whole && (!function_exists('fsync') || fsync($handle));   // fsync: since PHP 8.1
        if (fclose($handle) && $whole && @rename("$path.tmp", "$path.json")) {
            return "$path.json";
        }
        @unlink("$path.tmp");
    }
    error_log('parom: cannot write into ' . PAROM_SPOOL);
    return '';
}

/** Posts an order and settles its file: 'accepted', 'refused' or 'waiting'. */
function parom_try(array $kept, string $file, float $seconds): string
{
    [$status, $answer] = parom_post($kept, $seconds);
    if ($status >= 200 && $status < 300 && isset(json_decode($answer, true)['id'])) {   // no id: not the gateway
        @unlink($file);
        return 'accepted';
    }
    // 401, 403, 404 are about the token or the address, and without a message it is not the gateway that answers.
    $ours = is_string(json_decode($answer, true)['message'] ?? null);
    if (!$ours || $status < 400 || $status > 499 || in_array($status, [401, 403, 404, 408, 425, 429], true)) {
        $status >= 400 && error_log("parom: order $kept[key] waits: the answer was $status");
        return 'waiting';
    }
    error_log("parom: order $kept[key] was refused with $status");   // and nothing of the buyer's
    $refused = substr($file, 0, -strlen('json')) . 'refused';
    if ($file !== '' && @rename($file, $refused)) {
        @file_put_contents($refused, "$answer\n", FILE_APPEND);   // why, beside the order
    }
    return 'refused';
}

/** The answer's status and text; status 0 without one. */
function parom_post(array $kept, float $seconds): array
{
    $token = $kept['token'] ?? PAROM_TOKEN;
    $headers = ['Content-Type: application/json', 'Accept: application/json', "Idempotency-Key: $kept[key]"];
    $headers = array_merge($headers, $token === '' ? [] : ["Authorization: Bearer $token"]);
    if (function_exists('curl_init')) {
        curl_setopt_array($curl = curl_init($kept['url']), [
            CURLOPT_POSTFIELDS => $kept['body'], CURLOPT_HTTPHEADER => array_merge($headers, ['Expect:']),
            CURLOPT_TIMEOUT_MS => (int) ($seconds * 1000), CURLOPT_CONNECTTIMEOUT_MS => (int) (min(2, $seconds) * 1000),
            CURLOPT_RETURNTRANSFER => true, CURLOPT_NOSIGNAL => true,
        ]);
        $answer = curl_exec($curl);
        return is_string($answer) ? [curl_getinfo($curl, CURLINFO_HTTP_CODE), $answer] : [0, ''];
    }
    $http = ['method' => 'POST', 'header' => $headers, 'content' => $kept['body'], 'timeout' => min(2, $seconds)];
    $context = stream_context_create(['http' => $http + ['ignore_errors' => true, 'follow_location' => 0]]);
    $stream = @fopen($kept['url'], 'rb', false, $context);
    $first = $stream ? stream_get_meta_data($stream)['wrapper_data'][0] : '';
    return [(int) substr($first, 9, 3), $stream ? (string) stream_get_contents($stream, 65536) : ''];
}

/** Sends what waits; how many were accepted, were refused, and wait still. */
function parom_drain(int $most = PHP_INT_MAX, float $seconds = INF): array
{
    [$counts, $away, $end] = [['accepted' => 0, 'refused' => 0], [], microtime(true) + $seconds];
    $live = $seconds < INF;   // a buyer waits for us
    $lock = is_dir(PAROM_SPOOL) ? @fopen(PAROM_SPOOL . '/lock', 'cb') : false;
    $files = $lock && flock($lock, $live ? LOCK_EX | LOCK_NB : LOCK_EX) ? glob(PAROM_SPOOL . '/*.json') : [];
    shuffle($files);   // no order can stand in the way of the others for ever
    while ($files && $most > 0 && ($left = min(5.0, $end - microtime(true))) > 0.2) {
        $file = array_pop($files);
        $kept = json_decode(explode("\n", (string) @file_get_contents($file))[0], true);
        $young = $live && @filemtime($file) > time() - 10;   // its own request is sending it
        if (isset($kept['key'], $kept['url'], $kept['body']) && !isset($away[$kept['url']]) && !$young) {
            $most--;
            $outcome = parom_try($kept, $file, $left);
            $outcome === 'waiting' ? $away[$kept['url']] = true : $counts[$outcome]++;
        }
    }
    return $counts + ['waiting' => count(glob(PAROM_SPOOL . '/*.json'))];
}

if (PHP_SAPI === 'cli' && realpath($_SERVER['SCRIPT_FILENAME']) === __FILE__ && ($argv[1] ?? '') === 'drain') {
    $counts = parom_drain();
    echo "accepted $counts[accepted], refused $counts[refused], waiting $counts[waiting]\n";
    $own = !is_dir(PAROM_SPOOL) || is_writable(PAROM_SPOOL);   // another user's folder only looks empty
    exit($own && $counts['waiting'] + $counts['refused'] === 0 ? 0 : 1);
}
