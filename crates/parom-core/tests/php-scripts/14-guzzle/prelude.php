<?php
// Tiny stand-ins for Guzzle, enough to run script.php.

namespace GuzzleHttp\Exception;

class RequestException extends \RuntimeException
{
}

namespace GuzzleHttp;

class Body
{
    public function __construct(private string $text)
    {
    }

    public function getContents()
    {
        return $this->text;
    }

    public function __toString()
    {
        return $this->text;
    }
}

class Response
{
    public function __construct(private int $code, private string $text)
    {
    }

    public function getStatusCode()
    {
        return $this->code;
    }

    public function getBody()
    {
        return new Body($this->text);
    }
}

class Client
{
    public function __construct(private array $config = [])
    {
    }

    public function request($method, $uri = '', array $options = [])
    {
        $base = $this->config['base_uri'] ?? '';
        if ($base !== '' && !preg_match('~^https?://~', $uri)) {
            $uri = rtrim($base, '/') . '/' . ltrim($uri, '/');
        }
        $headers = [];
        $all = ($options['headers'] ?? []) + ['Content-Type' => 'application/json'];
        foreach ($all as $name => $value) {
            $headers[] = $name . ': ' . $value;
        }
        $ch = curl_init($uri);
        curl_setopt_array($ch, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_POSTFIELDS => isset($options['json']) ? json_encode($options['json']) : $options['body'],
            CURLOPT_HTTPHEADER => $headers,
            CURLOPT_RETURNTRANSFER => true,
        ]);
        $text = curl_exec($ch);
        $code = curl_getinfo($ch, CURLINFO_HTTP_CODE);
        curl_close($ch);
        if ($text === false || $code >= 400) {
            throw new Exception\RequestException("POST $uri gave $code");
        }
        return new Response($code, $text);
    }

    public function post($uri, array $options = [])
    {
        return $this->request('POST', $uri, $options);
    }
}
