//! Cells and column names that try to run as code.

use evenhand::polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};
use evenhand::prelude::*;

use super::Page;

const HOSTILE: [&str; 10] = [
    "<script>document.title = 'owned'</script>",
    "<img src=x onerror=\"document.title = 'owned'\">",
    "</script><script>document.title = 'owned'</script>",
    "<!--<script>",
    "]]><svg onload=\"document.title = 'owned'\">",
    "</style></textarea></title><body onload=\"document.title = 'owned'\">",
    "\" onmouseover=\"document.title = 'owned'\" x=\"",
    "<a href=\"javascript:document.title = 'owned'\">x</a>",
    "${document.title = 'owned'} `",
    "__proto__",
];

#[test]
fn hostile_text_stays_text_whatever_is_clicked() {
    let texts = Series::new("text".into(), HOSTILE).into_column();
    let names =
        HOSTILE.map(|name| Series::new(name.into(), vec![1_i64; HOSTILE.len()]).into_column());
    let columns = std::iter::once(texts).chain(names).collect();
    let frame = DataFrame::new_infer_height(columns).unwrap();
    let Some(page) = Page::open("hostile", &table(&frame).titled(HOSTILE[0])) else {
        return;
    };
    let everything = "
        const all = () => document.querySelectorAll('main button, main summary, main [type=checkbox]');
        for (let at = 0; at < all().length; at += 1) {
            all()[at].dispatchEvent(new MouseEvent('mouseover', {bubbles: true}));
            all()[at].click();
        }
        for (const box of document.querySelectorAll('[type=checkbox]')) if (!box.checked) box.click();";
    page.run(everything);
    assert_eq!(page.run("return document.title"), "hostile");
    let foreign =
        "return document.querySelectorAll('main :is(img, svg, a, iframe, link, object)').length";
    assert_eq!(page.run(foreign), 0);
    let mut seen = page.column(0);
    seen.sort();
    let mut said = HOSTILE.map(str::to_owned).to_vec();
    said.sort();
    assert_eq!(seen, said);
    let names = page.browser.texts(".evenhand-scroll thead th");
    assert_eq!(names[1..], HOSTILE.map(str::to_owned));
}
