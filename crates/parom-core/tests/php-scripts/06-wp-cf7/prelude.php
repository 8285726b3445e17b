<?php
// Tiny stand-ins for WordPress and Contact Form 7, enough to run script.php from $_POST.

$GLOBALS['wp_hooks'] = [];

function add_action($hook, $callback, $priority = 10, $args = 1)
{
    $GLOBALS['wp_hooks'][$hook][] = $callback;
}

function sanitize_text_field($text)
{
    return trim(preg_replace('/[\r\n\t ]+/', ' ', strip_tags((string) $text)));
}

function sanitize_email($text)
{
    return preg_replace('/[^a-z0-9+_.@-]/i', '', trim((string) $text));
}

function get_option($name, $default = false)
{
    return $default;
}

function wp_json_encode($data, $flags = 0)
{
    return json_encode($data, $flags);
}

function is_wp_error($thing)
{
    return false;
}

function wp_remote_post($url, $args = [])
{
    $headers = [];
    foreach ($args['headers'] ?? [] as $name => $value) {
        $headers[] = $name . ': ' . $value;
    }
    $ch = curl_init($url);
    curl_setopt_array($ch, [
        CURLOPT_POST => true,
        CURLOPT_POSTFIELDS => $args['body'],
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
    ]);
    $body = curl_exec($ch);
    $code = curl_getinfo($ch, CURLINFO_HTTP_CODE);
    curl_close($ch);
    return ['body' => $body, 'response' => ['code' => $code]];
}

class WPCF7_ContactForm
{
    public function id()
    {
        return (int) ($_POST['_wpcf7'] ?? 0);
    }
}

class WPCF7_Submission
{
    // Fields that the form declares as select, radio or checkbox: CF7 gives them as lists.
    private const LISTS = ['size', 'messenger'];

    public static function get_instance()
    {
        return new self();
    }

    public function get_posted_data($name = '')
    {
        $data = [];
        foreach ($_POST as $key => $value) {
            if ($key[0] === '_') {
                continue;
            }
            $data[$key] = in_array($key, self::LISTS) ? (array) $value : $value;
        }
        return $name === '' ? $data : ($data[$name] ?? null);
    }

    public function get_meta($name)
    {
        return $name === 'url' ? ($_SERVER['HTTP_REFERER'] ?? '') : null;
    }
}

// The hook fires when the whole script has been read.
register_shutdown_function(function () {
    foreach ($GLOBALS['wp_hooks'] as $hook => $callbacks) {
        if (in_array($hook, ['wpcf7_before_send_mail', 'wpcf7_mail_sent'])) {
            foreach ($callbacks as $callback) {
                $callback(new WPCF7_ContactForm());
            }
        }
    }
});
