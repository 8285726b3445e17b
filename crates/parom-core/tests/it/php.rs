//! Our folding of bracket names against a real `php`.

use std::io::Write;
use std::process::{Command, Stdio};

use parom_core::submission::decode_urlencoded;
use serde_json::{Map, Value};

const SCRIPT: &str = r#"
while (($line = fgets(STDIN)) !== false) {
    $out = [];
    parse_str(rtrim($line, "\n"), $out);
    echo json_encode($out, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}"#;

/// By hand: what the rules of PHP say at their edges.
const EDGES: &[&str] = &[
    "a=1&a=2",
    "a[]=1&a[]=2",
    "a[b][0][c]=1&a[b][0][d]=2&a[b][1][c]=3",
    "p[][sku]=A&p[][sku]=B",
    "p[5][sku]=A&p[2][sku]=B&p[][sku]=C",
    "a[01]=x&a[1]=y&a[-5]=z&a[]=w",
    "a%5Bb%5D%5Bc%5D=1",
    "a.b=1&a b=2&a+b[c.d]=3&a.b[x y]=4",
    " a=1&++b=2",
    "a[b=1&a[b.c=2&x[y[z=3",
    "[a]=1&[=2&]=3&a]=4&a[b]c=5&a[b]c[d]=6",
    "a[[b]]=1&a[b]]=2&a[[=3",
    "a=1&a[b]=2",
    "a[b]=2&a=1",
    "a[ ]=1&a[ b]=2&a[b ]=3",
    "=1&&a&b=&c==d=e",
    "a[9223372036854775807]=x&a[]=y",
    "0=a&1=b",
    "a[0]=x&a[1]=y&a[3]=z",
    "%D1%96%D0%BC%E2%80%99%D1%8F=%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0&%D0%A2%D0%B5%D0%BB.=1",
    "a%00b=1&a[x%00y]=2",
    "a%5D=1&a%5B%5D=2&a%2Eb=3",
    "x=%zz&y=%4&z=%",
    "a[+]=1",
    "a[\t]=1&a[b][][c]=2",
];

#[test]
fn folds_as_php_does() {
    let mut bodies: Vec<String> = EDGES.iter().map(|body| (*body).to_owned()).collect();
    let mut random = Random(0x5eed_0f50_7061_726f);
    bodies.extend((0..400).map(|_| random.body()));
    let expected = php(&bodies);
    assert_eq!(expected.len(), bodies.len());
    let differing: Vec<String> = bodies
        .iter()
        .zip(expected)
        .filter_map(|(body, expected)| {
            let found = decode_urlencoded(body.as_bytes()).unwrap().0;
            (found != expected).then(|| format!("{body}\n  php   {expected}\n  found {found}"))
        })
        .collect();
    assert!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), bodies.len(), differing.join("\n"));
}

fn php(bodies: &[String]) -> Vec<Value> {
    let spawned = Command::new("php").args(["-n", "-r", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.expect("php is needed: scripts/install-tools installs it");
    let mut stdin = child.stdin.take().unwrap();
    let input = bodies.join("\n") + "\n";
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| as_form(serde_json::from_str(line).unwrap())).collect()
}

/// `json_encode` writes an array with keys 0, 1 … as a list; a form is always an object.
fn as_form(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            Value::Object(items.into_iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// A small generator with a fixed seed: the same bodies in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    pub(super) fn pick(&mut self, from: &[&str]) -> String {
        from[usize::try_from(self.next(from.len() as u64)).unwrap()].to_owned()
    }

    fn body(&mut self) -> String {
        let count = 1 + self.next(7);
        (0..count).map(|_| self.pair()).collect::<Vec<_>>().join("&")
    }

    fn pair(&mut self) -> String {
        let mut name = self.pick(&["a", "b", "c", "p", "a.b", "a+b", "%D1%96", "", "+a", "a%20", "0", "7"]);
        for _ in 0..self.next(4) {
            name.push_str(&self.pick(&[
                "[]", "[0]", "[1]", "[5]", "[x]", "[y]", "[x.y]", "[+]", "%5Bx%5D", "[-1]", "[03]", "[", "]", "[x",
                "z", "[x+y]", "[%D1%96]", ".", "%5B%5D",
            ]));
        }
        let value = self.pick(&["", "1", "two", "%D0%9E", "a+b", "a=b", "%26", "[x]", "0671112233"]);
        if self.next(8) == 0 { name } else { format!("{name}={value}") }
    }
}
