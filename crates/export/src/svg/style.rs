//! Colours and patterns of the kinds, the same as on the page, for light and dark.
//!
//! Owns the style sheet of the picture. Every kind but plain Go has a pattern of its own, so that a
//! print in grey can still be read.

/// Class and words of each kind, in the page's order of kinds.
pub(super) const KINDS: [(&str, &str); 6] = [
    ("k0", "Go"),
    ("k1", "Go runtime"),
    ("k2", "C / C++"),
    ("k3", "kernel"),
    ("k4", "cgo edge"),
    ("k5", "no name"),
];

pub(super) const STYLE: &str = "\
text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1b1d22}\
.head{font:bold 17px system-ui,sans-serif}.muted{fill:#5d6675}.page{fill:#fff}\
.c0{fill:#8ecae6}.c1{fill:#cfe8f3}.c2{fill:#f4b183}.c3{fill:#d9b0da}.c4{fill:#ffe082}\
.c5{fill:#d9d9d9}.k6{fill:#e9e9ee}.more{fill:#dfe2e7}\
.k0{fill:#8ecae6}.k1{fill:url(#p1)}.k2{fill:url(#p2)}.k3{fill:url(#p3)}.k4{fill:url(#p4)}\
.k5{fill:url(#p5)}.mark{stroke:#000;stroke-opacity:.13;fill:none}\
@media(prefers-color-scheme:dark){text{fill:#e8e8ea}.muted{fill:#a2a8b2}.page{fill:#15171c}\
.k0,.c0{fill:#2a6c8b}.c1{fill:#3b4f5c}.c2{fill:#905629}.c3{fill:#6d4272}.c4{fill:#6b580f}\
.c5{fill:#555b66}.k6{fill:#2b2e36}.more{fill:#363a44}.mark{stroke-opacity:.3}}";

/// What is drawn over the colour: number of the kind, size of the tile, and the marks.
const MARKS: [(u8, u8, &str); 5] = [
    (1, 8, "M0 4H8"),
    (2, 6, "M3 0V6"),
    (3, 8, "M0 0L8 8M-2 6L2 10M6 -2L10 2"),
    (4, 8, "M0 8L8 0M-2 2L2 -2M6 10L10 6"),
    (5, 6, "M3 0V6M0 3H6"),
];

pub(super) fn patterns() -> String {
    let mut text = String::from("<defs>\n");
    for (kind, size, marks) in MARKS {
        // The hatch of edges is the one a reader looks for.
        let width = if kind == 4 { " stroke-width=\"2\"" } else { "" };
        text.push_str(&format!(
            "<pattern id=\"p{kind}\" width=\"{size}\" height=\"{size}\" \
             patternUnits=\"userSpaceOnUse\"><rect class=\"c{kind}\" width=\"{size}\" \
             height=\"{size}\"/><path class=\"mark\"{width} d=\"{marks}\"/></pattern>\n"
        ));
    }
    text.push_str("</defs>\n");
    text
}
