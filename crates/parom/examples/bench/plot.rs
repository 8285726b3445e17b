//! A plot of how a cost grows with a number, as SVG: a line a series, the number by its powers of ten.

use std::fmt::Write;
use std::path::Path;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 50.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 140.0;
/// Told apart without their colours too: by what is written at their ends.
const COLOURS: [&str; 3] = ["#1a5fb4", "#a2480b", "#26733a"];

/// A name, and its points: a number, and what it cost.
pub(crate) type Series = (String, Vec<(f64, f64)>);

/// Writes the plot; `cost` names what is counted upwards.
pub(crate) fn write(file: &Path, title: &str, number: &str, cost: &str, series: &[Series]) {
    let points = || series.iter().flat_map(|(_, points)| points);
    let highest = points().map(|(_, y)| *y).fold(0.0, f64::max) * 1.2;
    let powers = |x: f64| x.log10();
    let (least, most) =
        points().fold((f64::MAX, 0.0_f64), |(least, most), (x, _)| (least.min(powers(*x)), most.max(powers(*x))));
    let x = |value: f64| LEFT + (powers(value) - least) / (most - least).max(1.0) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / highest * (HEIGHT - BOTTOM - TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"16\" font-size=\"14\">{title}</text>\n"
    );
    for step in 0..=4 {
        let value = highest / 4.0 * f64::from(step);
        let at = y(value);
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
    }
    let mut seen: Vec<f64> = points().map(|(x, _)| *x).collect();
    seen.sort_by(f64::total_cmp);
    seen.dedup();
    for value in seen {
        let _ =
            writeln!(svg, "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>", x(value), HEIGHT - 30.0);
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{number}</text>", HEIGHT - 10.0);
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\" font-size=\"11\">{cost}</text>", TOP - 8.0);
    for ((name, points), colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let line: Vec<String> = points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            line.join(" ")
        );
        for (a, b) in points {
            let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(*a), y(*b));
        }
        if let Some((a, b)) = points.last() {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
                x(*a) + 8.0,
                y(*b) + 4.0
            );
        }
    }
    svg.push_str("</svg>\n");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, svg).unwrap();
}
