<?php
/**
 * functions.php дочірньої теми: заявки з Contact Form 7 -> KeyCRM
 */

add_action('wpcf7_before_send_mail', function ($cf7) {
    // тільки форма замовлення
    if ($cf7->id() != 214) {
        return;
    }

    $submission = WPCF7_Submission::get_instance();
    if (!$submission) {
        return;
    }

    $posted = $submission->get_posted_data();

    $data = array(
        'source_id' => 9,
        'buyer' => array(
            'full_name' => sanitize_text_field($posted['your-name']),
            'phone'     => sanitize_text_field($posted['your-phone']),
            'email'     => sanitize_email($posted['your-email']),
        ),
        'buyer_comment' => isset($posted['your-message']) ? $posted['your-message'] : '',
        'shipping' => array(
            'shipping_address_city'  => $posted['city'],
            'shipping_receive_point' => $posted['np-branch'],
        ),
        'products' => array(
            array(
                'name'     => 'Сукня лляна',
                'sku'      => $posted['sku'],
                'price'    => $posted['price'],
                'quantity' => 1,
                'properties' => array(
                    // select у CF7 завжди приходить масивом
                    array('name' => 'Розмір', 'value' => $posted['size'][0]),
                ),
            ),
        ),
        'marketing' => array(
            'utm_source'   => $posted['utm_source'],
            'utm_medium'   => $posted['utm_medium'],
            'utm_campaign' => $posted['utm_campaign'],
        ),
        'custom_fields' => array(
            array('uuid' => 'OR_1010', 'value' => $posted['messenger']), // checkbox, список
            array('uuid' => 'OR_1011', 'value' => $submission->get_meta('url')),
        ),
    );

    $response = wp_remote_post('https://openapi.keycrm.app/v1/order', array(
        'method'  => 'POST',
        'timeout' => 20,
        'headers' => array(
            'Content-Type'  => 'application/json; charset=utf-8',
            'Accept'        => 'application/json',
            'Authorization' => 'Bearer ' . get_option('keycrm_api_key', 'YTQ0made-up-key-0006'),
        ),
        'body'    => wp_json_encode($data),
    ));

    if (is_wp_error($response)) {
        error_log('KeyCRM error: ' . $response->get_error_message());
    }
}, 10, 1);
