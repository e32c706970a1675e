//! Tests with cells, names and titles that try to be more than text.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::{assert_is_well_formed, cells, payload};
use crate::display::Show;
use crate::table::table;
use crate::text::mark::mark_invisible;

/// From OWASP's cheat sheet on XSS filter evasion, plus cases specific to our own format.
pub(super) const HOSTILE: [&str; 44] = [
    "<SCRIPT SRC=https://xss.example/xss.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/\"`/+/onmouseover=1/+/[*/[]/+alert(42);//'>",
    "<IMG SRC=\"javascript:alert('XSS');\">",
    "<IMG SRC=JaVaScRiPt:alert('XSS')>",
    "<IMG SRC=`javascript:alert(\"RSnake says, 'XSS'\")`>",
    "\\<a onmouseover=\"alert(document.cookie)\"\\>xxs link\\</a\\>",
    "<IMG \"\"\"><SCRIPT>alert(\"XSS\")</SCRIPT>\"\\>",
    "<IMG SRC=javascript:alert(String.fromCharCode(88,83,83))>",
    "<IMG onmouseover=\"alert('xxs')\">",
    "<IMG SRC=&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)>",
    "<IMG SRC=\"jav\tascript:alert('XSS');\">",
    "<IMG SRC=\"jav&#x0A;ascript:alert('XSS');\">",
    "<SCRIPT/XSS SRC=\"https://xss.example/xss.js\"></SCRIPT>",
    "<BODY onload!#$%&()*~+-_.,:;?@[/|\\]^`=alert(\"XSS\")>",
    "<<SCRIPT>alert(\"XSS\");//\\<</SCRIPT>",
    "<SCRIPT SRC=https://xss.example/xss.js?< B >",
    "<IMG SRC=\"`<javascript:alert>`('XSS')\"",
    "\\\";alert('XSS');//",
    "</script><script>alert('XSS');</script>",
    "</TITLE><SCRIPT>alert(\"XSS\");</SCRIPT>",
    "<INPUT TYPE=\"IMAGE\" SRC=\"javascript:alert('XSS');\">",
    "<svg/onload=alert('XSS')>",
    "<STYLE>li {list-style-image: url(\"javascript:alert('XSS')\");}</STYLE><UL><LI>XSS</br>",
    "<LINK REL=\"stylesheet\" HREF=\"javascript:alert('XSS');\">",
    "<META HTTP-EQUIV=\"refresh\" CONTENT=\"0;url=data:text/html base64,PHNjcmlwdD4=\">",
    "<IFRAME SRC=# onmouseover=\"alert(document.cookie)\"></IFRAME>",
    "<DIV STYLE=\"background-image: url(javascript:alert('XSS'))\">",
    "<!--[if gte IE 4]><SCRIPT>alert('XSS');</SCRIPT><![endif]-->",
    "<? echo('<SCR)'; echo('IPT>alert(\"XSS\")</SCRIPT>'); ?>",
    "<SCRIPT a=\">'>\" SRC=\"https://xss.example/xss.js\"></SCRIPT>",
    "</script>",
    "<!--",
    "]]>",
    "$x$",
    "$$\\href{javascript:alert(1)}{x}$$",
    "\u{202E}txt.exe",
    "\u{2067}right\u{2069} left שלום",
    "a\0b",
    "EVCXR_BEGIN_CONTENT text/html\n<h1>mine</h1>\nEVCXR_END_CONTENT",
    "EVCXR_EXECUTION_COMPLETE",
    "&lt;b&gt; &amp;amp; &#60;",
    "=HYPERLINK(\"https://xss.example\",\"x\")",
    "{{constructor.constructor('alert(1)')()}}",
];

fn seen(text: &str) -> String {
    mark_invisible(text).into_owned()
}

#[test]
fn a_hostile_cell_is_read_and_never_obeyed() {
    let frame =
        DataFrame::new_infer_height(vec![Series::new("text".into(), HOSTILE).into_column()])
            .unwrap();
    let html = frame.mime_bundle().html;
    assert_is_well_formed(&html);
    let said = HOSTILE.map(seen);
    assert_eq!(cells(&html).concat(), said);
    let payload = payload(&html).unwrap();
    assert_eq!(payload["values"][0], serde_json::json!(said.to_vec()));
}

#[test]
fn no_terminal_obeys_the_plain_form() {
    let cells = [
        "\u{1b}]0;mine\u{7}",
        "a\rb\u{8}",
        "\u{9b}2J",
        "\u{202E}txt.exe",
        "x\u{E0041}",
    ];
    let named = Series::new("\u{1b}[2Jname".into(), cells).into_column();
    let frame = DataFrame::new_infer_height(vec![named]).unwrap();
    let shown = table(&frame).titled("\u{1b}[31mtitle").mime_bundle();
    for text in [&shown.text, &shown.html] {
        let is_obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(is_obeyed), "{text:?}");
        assert!(!text.contains(['\u{202E}', '\u{E0041}']), "{text:?}");
    }
    assert!(shown.text.starts_with("�[31mtitle\n"), "{}", shown.text);
    assert!(shown.text.contains("�]0;mine�"), "{}", shown.text);
}

#[test]
fn hostile_names_and_titles_are_names_and_titles() {
    let columns = HOSTILE.map(|name| Series::new(name.into(), [1, 2]).into_column());
    let frame = DataFrame::new_infer_height(columns.to_vec()).unwrap();
    for title in HOSTILE {
        let html = table(&frame).titled(title).mime_bundle().html;
        assert_is_well_formed(&html);
        assert_eq!(html.matches("<th ").count(), HOSTILE.len());
        let payload = payload(&html).unwrap();
        for (at, name) in HOSTILE.iter().enumerate() {
            assert_eq!(payload["columns"][at]["name"], seen(name));
        }
    }
}

#[test]
fn names_that_look_alike_stay_columns_of_their_own() {
    let names = ["a", "a ", " a", "A", "а", "a\u{200B}", "a\0", ""];
    let columns = names
        .iter()
        .enumerate()
        .map(|(at, name)| Series::new((*name).into(), [at as i64, 0]).into_column());
    let frame = DataFrame::new_infer_height(columns.collect()).unwrap();
    let html = frame.mime_bundle().html;
    assert_eq!(cells(&html)[0], ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn a_megabyte_in_a_cell_is_cut_and_costs_no_other_row() {
    let huge = "<script>".repeat(130_000);
    let frame = DataFrame::new_infer_height(vec![
        Series::new("text".into(), [huge.as_str(), "small"]).into_column(),
    ])
    .unwrap();
    let html = frame.mime_bundle().html;
    assert!(html.len() < 300_000);
    assert!(html.contains("… and 1,030,000 characters more"));
    assert_eq!(cells(&html)[1], ["small"]);
    assert_eq!(payload(&html).unwrap()["values"][0][0][1], 1_030_000);
}
