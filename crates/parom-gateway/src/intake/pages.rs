//! The pages that a buyer may see: thanks, a refusal, and the form that sends itself again.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::answer::RETRY_AFTER_S;
use super::language::Language;

/// No script or style but our own files; a form may go anywhere, as it goes back to where it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'self'; base-uri 'none'";

pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/page.css"))
}

pub(super) async fn again_script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/again.js"))
}

/// The script of a shop's own pages, which keeps an order until it is accepted; see docs/senders.md.
pub(super) async fn sender_script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("senders/parom.js"))
}

/// The script that finds a branch of Nova Poshta in a shop's form; see docs/nova-poshta.md.
pub(super) async fn picker_script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("senders/picker.js"))
}

/// The lines of PHP that do the same on a shop's server; as text, to be saved there.
pub(super) async fn sender_php() -> Response {
    asset("text/plain; charset=utf-8", include_str!("senders/parom.php"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    (headers, text).into_response()
}

pub(super) fn thank_you(number: &str, language: Language) -> Response {
    let title = language.pick("Дякуємо!", "Спасибо!", "Thank you!");
    let text = language.pick(
        "Ваше замовлення прийнято. Ми зв’яжемося з вами найближчим часом.",
        "Ваш заказ принят. Мы свяжемся с вами в ближайшее время.",
        "Your order is accepted. We will contact you soon.",
    );
    let label = language.pick("Номер замовлення", "Номер заказа", "Order number");
    let main = format!(
        "<div class=\"mark good\" aria-hidden=\"true\">✓</div><h1>{title}</h1><p>{text}</p>\
         <p class=\"number\">{label}: <strong>{}</strong></p>",
        escape(number)
    );
    page(StatusCode::OK, title, &main, language, "")
}

pub(super) fn refused(status: u16, message: &str, details: &[String], language: Language) -> Response {
    let title = language.pick("Замовлення не прийнято", "Заказ не принят", "The order was not accepted");
    let text = language.pick(
        "Поверніться назад, виправте форму і надішліть її ще раз.",
        "Вернитесь назад, исправьте форму и отправьте её ещё раз.",
        "Go back, correct the form and send it again.",
    );
    let mut main = format!("<div class=\"mark bad\" aria-hidden=\"true\">!</div><h1>{title}</h1><p>{text}</p>");
    // What is wrong with each field says more than that something is.
    let details = if details.is_empty() { &[message.to_owned()] } else { details };
    for detail in details {
        main.push_str(&format!("<p class=\"detail\">{}</p>", escape(detail)));
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    page(status, title, &main, language, "")
}

/// The same form with all that the buyer typed; it goes again by itself, under the same key, until it is accepted.
pub(super) fn again(action: &str, fields: &[(String, String)], language: Language) -> Response {
    let title = language.pick("Ще мить…", "Ещё мгновение…", "One moment…");
    let text = language.pick(
        "Сервер зараз не може зберегти замовлення. Ваші дані тут, на цій сторінці: не закривайте її, вона надішле їх знову сама.",
        "Сервер сейчас не может сохранить заказ. Ваши данные здесь, на этой странице: не закрывайте её, она отправит их снова сама.",
        "The server cannot keep the order right now. What you typed is on this page: leave it open, it sends it again by itself.",
    );
    let button = language.pick("Надіслати зараз", "Отправить сейчас", "Send now");
    let waiting = language.pick("Наступна спроба через", "Следующая попытка через", "Next try in");
    let unit = language.pick("с", "с", "s");
    let inputs: String = fields
        .iter()
        .map(|(name, value)| format!("<textarea hidden name=\"{}\">\n{}</textarea>", escape(name), escape(value)))
        .collect();
    let main = format!(
        "<div class=\"mark\" aria-hidden=\"true\">↻</div><h1>{title}</h1><p>{text}</p>\
         <form id=\"again\" method=\"post\" action=\"{}\" data-seconds=\"{RETRY_AFTER_S}\">{inputs}\
         <p class=\"number\" role=\"status\"><span id=\"wait\" hidden>{waiting} <strong id=\"seconds\">{RETRY_AFTER_S}</strong> {unit}</span></p>\
         <button type=\"submit\">{button}</button></form>",
        escape(action)
    );
    page(StatusCode::SERVICE_UNAVAILABLE, title, &main, language, "<script src=\"/assets/again.js\" defer></script>")
}

/// For a mistyped address: of a page, or of the form that was sent to it.
pub(crate) fn no_such_page(headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    let title = language.pick("Тут нічого немає", "Здесь ничего нет", "There is nothing here");
    let text = language.pick(
        "За цією адресою нічого немає, і нічого не збережено. Перевірте адресу.",
        "По этому адресу ничего нет, и ничего не сохранено. Проверьте адрес.",
        "There is nothing at this address, and nothing was kept. Check the address.",
    );
    told(StatusCode::NOT_FOUND, title, text, language)
}

/// For whoever opens the address of a form to see whether it is there.
pub(crate) fn not_to_be_opened(headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    let title = language.pick("Ця адреса – для форми", "Этот адрес – для формы", "This address is for a form");
    let text = language.pick(
        "Її не відкривають у браузері: сайт надсилає на неї дані методом POST.",
        "Его не открывают в браузере: сайт отправляет на него данные методом POST.",
        "It is not opened in a browser: the site sends data to it by POST.",
    );
    told(StatusCode::METHOD_NOT_ALLOWED, title, text, language)
}

fn told(status: StatusCode, title: &str, text: &str, language: Language) -> Response {
    let main = format!("<div class=\"mark\" aria-hidden=\"true\">?</div><h1>{title}</h1><p>{text}</p>");
    page(status, title, &main, language, "")
}

fn page(status: StatusCode, title: &str, main: &str, language: Language, head: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/assets/page.css\">{head}</head><body><main>{main}</main></body></html>\n",
        language.code()
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers, html).into_response()
}

/// Text for HTML, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
