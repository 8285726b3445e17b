//! Scripts that nobody wrote: whatever is put together here, its channel sends what PHP sends, or the conversion has a note.

use super::php::Random;
use super::php_silence::{FORM, LITTLE, TYPED, TYPED_NO, converted};

/// How many are tried.
const SCRIPTS: usize = 150;

struct Writer {
    random: Random,
    typed: bool,
    /// Statements and expressions that may still be put into others.
    left: u32,
}

impl Writer {
    fn field(&mut self) -> String {
        // A flag of JSON is a `1` within PHP's texts.
        let last = if self.typed { "note" } else { "call" };
        let name = self.random.pick(&["name", "city", "comment", "kind", "qty", "nothing", "phone", last]);
        let of = self.random.pick(&["$_POST", "$_POST", "$d"]);
        format!("{of}['{name}']")
    }

    fn constant(&mut self) -> String {
        self.random.pick(&["'gift'", "'Kyiv'", "'1'", "'0'", "''", "5", "2", "0", "1", "null"])
    }

    fn expression(&mut self) -> String {
        self.left = self.left.saturating_sub(1);
        let kind = if self.left == 0 { self.random.next(3) } else { self.random.next(14) };
        match kind {
            0 => self.field(),
            1 => self.constant(),
            2 => self.random.pick(&["$a", "$b"]),
            3 => format!("$_POST['name'] . ' ' . {}", self.field()),
            4 => format!("$_POST['name'] . ({})", self.expression()),
            5 => format!("({} ? {} : {})", self.condition(), self.expression(), self.expression()),
            6 => format!("({} ?? {})", self.field(), self.expression()),
            // A field that may be `0` is another question: the channel takes what is not empty.
            7 => format!("($_POST['{}'] ?: {})", self.random.pick(&["city", "comment", "nothing"]), self.expression()),
            8 => format!("trim({})", self.field()),
            9 => format!("strtoupper({})", self.field()),
            10 => format!("$names[{}]", self.field()),
            11 => format!("pick({})", self.field()),
            12 => format!("\"{{$_POST['phone']}} {{{}}}\"", self.field()),
            _ => format!("({} ? 'yes' : 'no')", self.condition()),
        }
    }

    fn condition(&mut self) -> String {
        self.left = self.left.saturating_sub(1);
        let kind = if self.left == 0 { self.random.next(6) } else { self.random.next(12) };
        match kind {
            // What was set to an empty text is set, which a field that is left out is not.
            0 => format!("isset($_POST['{}'])", self.random.pick(&["name", "comment", "qty", "nothing"])),
            1 => format!("empty({})", self.field()),
            2 => format!("!empty({})", self.field()),
            3 => format!("{} == {}", self.field(), self.constant()),
            4 => format!("{} === {}", self.field(), self.random.pick(&["'gift'", "'1'", "'0'", "''"])),
            5 => format!("{} > 1", self.random.pick(&["$_POST['qty']", "$d['qty']"])),
            6 => format!("!({})", self.condition()),
            7 => format!("({} && {})", self.condition(), self.condition()),
            8 => format!("({} || {})", self.condition(), self.condition()),
            9 => format!("in_array($_POST['{}'], ['gift', 1, '2'])", self.random.pick(&["kind", "qty", "nothing"])),
            10 => "$d['call']".to_owned(),
            _ => self.expression(),
        }
    }

    fn place(&mut self) -> String {
        let places =
            ["$a", "$b", "$data['buyer_comment']", "$data['manager_comment']", "$data['promocode']", "$d['city']"];
        self.random.pick(&places)
    }

    fn statements(&mut self) -> String {
        let count = 1 + self.random.next(3);
        (0..count).map(|_| self.statement()).collect::<Vec<_>>().join(" ")
    }

    fn statement(&mut self) -> String {
        self.left = self.left.saturating_sub(1);
        let kind = if self.left == 0 { self.random.next(3) } else { self.random.next(16) };
        let ends = ["break;", "continue;", "", "", "exit;", "return;"];
        match kind {
            0..=2 => format!("{} = {};", self.place(), self.expression()),
            3 => format!("if ({}) {{ {} }}", self.condition(), self.statements()),
            4 | 5 => format!("if ({}) {{ {} }} else {{ {} }}", self.condition(), self.statements(), self.statements()),
            6 => format!(
                "if ({}) {{ {} }} elseif ({}) {{ {} }}",
                self.condition(),
                self.statements(),
                self.condition(),
                self.statements()
            ),
            7 => format!("unset({});", self.random.pick(&["$d['city']", "$d['kind']", "$data['promocode']"])),
            8 => format!(
                "foreach (['city', 'kind', 'qty'] as $f) {{ if (!empty($_POST[$f])) {{ {} = $_POST[$f]; {} }} {} }}",
                self.place(),
                self.random.pick(&ends),
                self.statement()
            ),
            9 => format!(
                "foreach ($d['items'] as $i) {{ {} $data['products'][] = ['name' => $i['name'], 'price' => $i['price'], \
                 'quantity' => $i['qty'] ?? 1]; }}",
                if self.random.next(3) == 0 {
                    format!("if ({}) {{ {} }}", self.condition(), self.random.pick(&ends))
                } else {
                    String::new()
                },
            ),
            10 => format!(
                "switch ({}) {{ case {}: {} break; case {}: {} break; {} }}",
                self.field(),
                self.random.pick(&["'gift'", "'1'", "5"]),
                self.statements(),
                self.random.pick(&["'Kyiv'", "0", "'0'"]),
                self.statements(),
                if self.random.next(2) == 0 { format!("default: {}", self.statements()) } else { String::new() }
            ),
            11 => format!(
                "$d = array_merge({});",
                self.random.pick(&["['city' => 'Lviv'], $d", "$d, ['city' => 'Lviv']", "$d, ['kind' => $a]"])
            ),
            12 => format!("$a .= {};", self.expression()),
            13 => format!("{} && {} = {};", self.condition(), self.place(), self.expression()),
            14 => format!("{} or {} = {};", self.condition(), self.place(), self.expression()),
            _ => format!("if ({}) {{ {} }}", self.condition(), self.random.pick(&["exit;", "return;", "die('no');"])),
        }
    }

    fn script(&mut self, typed: bool) -> String {
        (self.left, self.typed) = (14, typed);
        let read = if typed { "json_decode(file_get_contents('php://input'), true)" } else { "$_POST" };
        let early = self.random.pick(&["return 'p';", "return $x;", "exit;"]);
        let text = format!(
            "$d = {read}; $a = $_POST['name']; $b = null; $names = ['gift' => 'Gift', '5' => 'Five', '1' => 'One'];\n\
             $data = ['source_id' => 3, 'buyer' => ['full_name' => $_POST['name'], 'phone' => $_POST['phone']]];\n\
             {}\n{} = {};\n\
             function pick($x) {{ if ({}) {{ {early} }} return 'q' . $x; }}",
            (0..3).map(|_| self.statement()).collect::<Vec<_>>().join("\n"),
            self.random.pick(&["$data['buyer_comment']", "$data['manager_comment']"]),
            self.random.pick(&["$_POST['name'] . $a", "$b", "$d['city']", "$d['kind']"]),
            self.random.pick(&["$x == '1'", "empty($x)", "!$x", "isset($x)", "$x === 'gift'"]),
        );
        if typed { text.replace("$_POST", "$d") } else { text }
    }
}

#[test]
fn whatever_a_script_does_its_channel_does_or_says_that_it_does_not() {
    let mut writer = Writer { random: Random(0x5eed_0f50_7061_726f), typed: false, left: 0 };
    let (mut failed, mut whole) = (Vec::new(), 0);
    for at in 0..SCRIPTS {
        let typed = at % 3 == 2;
        let script = writer.script(typed);
        let requests = if typed { [TYPED, TYPED_NO] } else { [FORM, LITTLE] };
        let (notes, differ) = converted(&script, &requests);
        whole += usize::from(notes.is_empty());
        if notes.is_empty() && !differ.is_empty() {
            failed.push(format!("{script}\n{}", differ.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{} of {SCRIPTS}, {whole} without a note:\n{}", failed.len(), failed.join("\n\n"));
    assert!(whole * 5 > SCRIPTS, "notes for nearly all of them tell nothing: {whole} of {SCRIPTS} have none");
}
