<?php
// Runs one folder's script as a web server would, with the CRM's address replaced.
//
//   php run.php FOLDER http://127.0.0.1:PORT [REQUEST-FILE]
//
// REQUEST-FILE is request.txt of the folder when not given.

error_reporting(E_ERROR | E_PARSE | E_COMPILE_ERROR | E_RECOVERABLE_ERROR);
ini_set('display_errors', 'stderr');
putenv('NO_PROXY=127.0.0.1');
putenv('no_proxy=127.0.0.1');
ob_start();

if ($argc < 3) {
    fwrite(STDERR, "usage: php run.php FOLDER http://127.0.0.1:PORT [REQUEST-FILE]\n");
    exit(2);
}

// In a function so that the script starts with no variables of ours.
function runner_setup(array $argv): string
{
    $folder = rtrim($argv[1], '/');
    if (!is_file("$folder/script.php")) {
        $folder = __DIR__ . '/' . $folder;
    }
    $crm = rtrim($argv[2], '/');
    $request = str_replace("\r\n", "\n", file_get_contents("$folder/" . ($argv[3] ?? 'request.txt')));
    [$head, $body] = explode("\n\n", $request, 2) + [1 => ''];
    $body = rtrim($body, "\n");
    $lines = explode("\n", $head);
    [$method, $target] = explode(' ', array_shift($lines));
    $query = (string) parse_url($target, PHP_URL_QUERY);

    $headers = ['content-type' => 'application/x-www-form-urlencoded'];
    foreach ($lines as $line) {
        [$name, $value] = explode(':', $line, 2);
        $headers[strtolower(trim($name))] = trim($value);
    }

    $_SERVER['REQUEST_METHOD'] = $method;
    $_SERVER['REQUEST_URI'] = $target;
    $_SERVER['QUERY_STRING'] = $query;
    $_SERVER['REMOTE_ADDR'] = '203.0.113.7';
    $_SERVER['CONTENT_TYPE'] = $headers['content-type'];
    $_SERVER['CONTENT_LENGTH'] = (string) strlen($body);
    foreach ($headers as $name => $value) {
        $_SERVER['HTTP_' . strtoupper(str_replace('-', '_', $name))] = $value;
    }

    parse_str($query, $_GET);
    $_POST = [];
    if (str_starts_with($headers['content-type'], 'application/x-www-form-urlencoded')) {
        parse_str($body, $_POST);
    }
    $_REQUEST = array_merge($_GET, $_POST);
    $_COOKIE = [];
    foreach (explode(';', $headers['cookie'] ?? '') as $pair) {
        if (str_contains($pair, '=')) {
            [$name, $value] = explode('=', trim($pair), 2);
            $_COOKIE[strtr(urldecode($name), '. ', '__')] = urldecode($value);
        }
    }

    // $_SESSION: whatever session_start() reads is session.json's content.
    $session = is_file("$folder/session.json") ? json_decode(file_get_contents("$folder/session.json"), true) : [];
    ini_set('session.serialize_handler', 'php_serialize');
    ini_set('session.use_cookies', '0');
    ini_set('session.use_strict_mode', '0');
    session_cache_limiter('');
    session_set_save_handler(
        fn () => true,
        fn () => true,
        fn () => serialize($session),
        fn () => true,
        fn () => true,
        fn () => 0
    );

    $code = file_get_contents("$folder/script.php");
    $code = strtr($code, [
        'https://openapi.keycrm.app' => $crm,
        'php://input' => 'data://text/plain;base64,' . base64_encode($body),
        'filter_input(' => 'runner_filter_input(',
        // Other services are not to be reached: nothing listens there.
        'https://bank.gov.ua' => 'http://127.0.0.1:1',
        'https://api.telegram.org' => 'http://127.0.0.1:1',
    ]);
    $code = preg_replace('~\b(require|include)(_once)?\b[^;]*vendor/autoload\.php[^;]*;~', '', $code);

    if (is_file("$folder/prelude.php")) {
        require "$folder/prelude.php";
    }
    $file = tempnam(sys_get_temp_dir(), 'order');
    file_put_contents($file, $code);
    register_shutdown_function(fn () => @unlink($file));
    return $file;
}

// filter_input() sees nothing in the command line, so it reads the arrays.
function runner_filter_input($type, $name, $filter = FILTER_DEFAULT, $options = 0)
{
    $from = [INPUT_POST => $_POST, INPUT_GET => $_GET, INPUT_COOKIE => $_COOKIE, INPUT_SERVER => $_SERVER][$type];
    if (!isset($from[$name])) {
        return is_array($options) ? ($options['options']['default'] ?? null) : null;
    }
    return filter_var($from[$name], $filter, $options);
}

if (!function_exists('mb_convert_case')) {
    // Enough for scripts where the mbstring extension is not installed.
    define('MB_CASE_UPPER', 0);
    define('MB_CASE_LOWER', 1);
    define('MB_CASE_TITLE', 2);

    function mb_strtolower($s, $enc = null)
    {
        static $map = null;
        $upper = preg_split('//u', 'АБВГҐДЕЄЁЖЗИІЇЙКЛМНОПРСТУФХЦЧШЩЬЫЪЭЮЯ', -1, PREG_SPLIT_NO_EMPTY);
        $lower = preg_split('//u', 'абвгґдеєёжзиіїйклмнопрстуфхцчшщьыъэюя', -1, PREG_SPLIT_NO_EMPTY);
        $map = $map ?? array_combine($upper, $lower);
        return strtr(strtolower($s), $map);
    }

    function mb_strtoupper($s, $enc = null)
    {
        $upper = preg_split('//u', 'АБВГҐДЕЄЁЖЗИІЇЙКЛМНОПРСТУФХЦЧШЩЬЫЪЭЮЯ', -1, PREG_SPLIT_NO_EMPTY);
        $map = [];
        foreach ($upper as $letter) {
            $map[mb_strtolower($letter)] = $letter;
        }
        return strtr(strtoupper($s), $map);
    }

    function mb_convert_case($s, $mode, $enc = null)
    {
        if ($mode === MB_CASE_UPPER) {
            return mb_strtoupper($s);
        }
        $s = mb_strtolower($s);
        if ($mode === MB_CASE_LOWER) {
            return $s;
        }
        return preg_replace_callback("/(?<![\\p{L}'])\\p{L}/u", fn ($m) => mb_strtoupper($m[0]), $s);
    }
}

require runner_setup($argv);
