//! The form of nginx-rtmp (arut/nginx-rtmp-module, as version 1.2.2 sends it), and what answers mean to it.

use std::fmt::Write as _;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use url::Url;

use super::question::{Event, Question};
use super::verdict::Verdict;
use crate::outbound::{Request, Response};

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The fields of the form itself. A publisher's own query may not set them again: many scripts take the last value.
const OWN: [&str; 13] = [
    "app", "flashver", "swfurl", "tcurl", "pageurl", "addr", "clientid", "call", "name", "type", "start", "duration",
    "reset",
];

pub(super) fn post(url: Url, question: &Question) -> Request {
    let mut request = Request::post(url, form(question));
    request.headers.insert(CONTENT_TYPE, FORM);
    request
}

pub(super) fn get(mut url: Url, question: &Question) -> Request {
    let form = form(question);
    let query = url.query().map_or_else(|| form.clone(), |own| format!("{own}&{form}"));
    url.set_query(Some(&query));
    let mut request = Request::get(url);
    request.headers.insert(CONTENT_TYPE, FORM);
    request
}

/// The fields in the module's order. It knows the page and the player's address from Flash, which nobody sends any more.
fn form(question: &Question) -> String {
    let mut form = format!(
        "app={}&flashver={}&swfurl=&tcurl={}&pageurl=&addr={}&clientid={}&call={}&name={}",
        escaped(&question.app),
        escaped(&question.agent),
        escaped(&question.tc_url),
        question.address.to_canonical(),
        question.client,
        call(question.event),
        escaped(question.stream.expose()),
    );
    match question.event {
        Event::Publish => form.push_str("&type=live"),
        // What players ask for: live or recorded, -2 seconds in milliseconds as an unsigned number.
        Event::Play => form.push_str("&start=4294965296&duration=0&reset=0"),
        Event::PublishDone | Event::PlayDone => {}
    }
    for pair in question.query.expose().split('&').filter(|pair| may_stand(pair)) {
        form.push('&');
        form.push_str(&printable(pair));
    }
    form
}

/// `on_done` says the same of publishers and players.
fn call(event: Event) -> &'static str {
    match event {
        Event::Publish => "publish",
        Event::Play => "play",
        Event::PublishDone | Event::PlayDone => "done",
    }
}

/// Whether a pair of the publisher's query says something of its own. Languages read names differently (`name[]`, ` name`, `NAME`): all
/// that any of them could take for a field of the form is left out.
fn may_stand(pair: &str) -> bool {
    let Some((name, _)) = url::form_urlencoded::parse(pair.as_bytes()).next() else {
        return false;
    };
    let bare = name
        .trim_start()
        .split(['[', '\0', ';', '='])
        .next()
        .unwrap_or_default()
        .trim_end();
    !OWN.iter().any(|own| own.eq_ignore_ascii_case(bare))
}

/// The publisher's text as it wrote it, but for what would end a line or, to some, a pair.
fn printable(text: &str) -> String {
    percent(text, |byte| !byte.is_ascii_graphic() || byte == b';' || byte == b'#')
}

/// As nginx escapes arguments.
fn escaped(text: &str) -> String {
    percent(
        text,
        |byte| matches!(byte, 0..=b' ' | b'#' | b'%' | b'&' | b'+' | b';' | b'?' | 0x7f..),
    )
}

fn percent(text: &str, hidden: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if hidden(byte) {
            let _ = write!(out, "%{byte:02X}");
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// The module looks at the first digit of the status only, and at `Location`.
pub(super) fn verdict(response: &Response) -> Verdict {
    match response.status.as_u16() / 100 {
        2 => Verdict::Allow,
        3 => Verdict::of_redirect(response),
        _ => Verdict::deny("the server that decides about this stream refused it"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use hub::Protocol;

    use super::*;
    use crate::secret::Secret;

    fn question(event: Event, stream: &str, query: &str) -> Question {
        Question {
            event,
            stream: Secret::new(stream),
            query: Secret::new(query),
            app: "live".into(),
            tc_url: "rtmp://127.0.0.1:18935/live".into(),
            agent: "FMLE/3.0 (compatible; Lavf59.27".into(),
            address: IpAddr::from([127, 0, 0, 1]),
            protocol: Protocol::Rtmp,
            client: 1,
        }
    }

    /// Taken from nginx 1.22 with nginx-rtmp 1.2.2 and ffmpeg 5.1.
    #[test]
    fn the_form_is_what_nginx_rtmp_sends() {
        for (event, form_of_nginx) in [
            (
                Event::Publish,
                "app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:18935/live&pageurl=\
                 &addr=127.0.0.1&clientid=1&call=publish&name=key%2Ba&type=live",
            ),
            (
                Event::Play,
                "app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:18935/live&pageurl=\
                 &addr=127.0.0.1&clientid=1&call=play&name=key%2Ba&start=4294965296&duration=0&reset=0",
            ),
            (
                Event::PublishDone,
                "app=live&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl=rtmp://127.0.0.1:18935/live&pageurl=\
                 &addr=127.0.0.1&clientid=1&call=done&name=key%2Ba",
            ),
        ] {
            let request = post("http://h/".parse().unwrap(), &question(event, "key+a", ""));
            assert_eq!(request.body, form_of_nginx);
        }
    }

    #[test]
    fn the_publishers_own_query_follows_as_it_was_written() {
        let sent = form(&question(Event::Publish, "a", "token=a%20b&u=ü&empty=&flag"));
        assert!(sent.ends_with("&type=live&token=a%20b&u=%C3%BC&empty=&flag"), "{sent}");
    }

    #[test]
    fn a_publisher_cannot_set_the_fields_of_the_form() {
        for query in [
            "name=victim",
            "NAME=victim",
            "na%6de=victim",
            "+name=victim",
            "%20name=victim",
            "name[]=victim",
            "name%5B0%5D=victim",
            "name%00x=victim",
            "name%20=victim",
            "addr=10.0.0.1",
            "call=play",
            "name",
            "&&",
        ] {
            let sent = form(&question(Event::Publish, "a", query));
            assert!(sent.ends_with("&type=live"), "{query}: {sent}");
        }
        let sent = form(&question(Event::Publish, "a", "x=1;name=victim&y=\r\nz#"));
        assert!(sent.ends_with("&x=1%3Bname=victim&y=%0D%0Az%23"), "{sent}");
    }

    #[test]
    fn by_get_the_form_joins_the_addresss_own_query() {
        let with = get(
            "http://h/auth?x=1".parse().unwrap(),
            &question(Event::Publish, "a", "t=\"<1>"),
        );
        assert!(
            with.url.as_str().starts_with("http://h/auth?x=1&app=live&"),
            "{}",
            with.url
        );
        assert!(with.url.as_str().ends_with("&type=live&t=%22%3C1%3E"), "{}", with.url);
        let without = get("http://h/auth".parse().unwrap(), &question(Event::Play, "a", ""));
        assert!(
            without.url.as_str().starts_with("http://h/auth?app=live&"),
            "{}",
            without.url
        );
    }
}
