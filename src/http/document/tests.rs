//! What the gate counts: work, not wall time.

use super::*;

const SDL: &str = "
type Query { a: Query! b(first: Int, last: Int): ThingConnection! list(first: Int): [Thing!]! n: Int! }
type Mutation { stop: Boolean! }
type Thing { id: ID! more(first: Int): ThingConnection! }
type ThingConnection { nodes: [Thing!]! }
";

fn gate() -> DocumentGate {
    let roots = RootFields::new(
        ["a", "b", "list", "n"].map(|name| (OperationKind::Query, name, Access::Public)).into_iter().chain([(
            OperationKind::Mutation,
            "stop",
            Access::Public,
        )]),
    );
    DocumentGate::new(SchemaMap::parse(SDL).unwrap(), roots, DocumentLimits::default(), true)
}

/// The measures of a document, whatever the limits.
fn measured(query: &str) -> measure::Size {
    let document = parser::parse_query(query).unwrap();
    let (_, operation) = choose(&document, None).unwrap();
    let limits = DocumentLimits {
        selections: u64::MAX,
        depth: u32::MAX,
        aliases: u64::MAX,
        directives: u64::MAX,
        cost: u64::MAX,
        ..DocumentLimits::default()
    };
    let schema = SchemaMap::parse(SDL).unwrap();
    let values = variable::Values::new(&operation.node, &Variables::default());
    measure::measure(&measure::Subject {
        document: &document,
        operation,
        values: &values,
        schema: &schema,
        limits: &limits,
    })
    .unwrap()
}

fn code(query: &str) -> &'static str {
    gate()
        .admit(DocumentRequest::new(query), Transport::Socket, true)
        .map_or_else(|refusal| refusal.code, |_| "admitted")
}

/// `levels` fragments, each spreading the next one `width` times.
fn bomb(levels: usize, width: usize) -> String {
    let fragments =
        (0..levels).map(|n| format!("fragment F{n} on Query{{{}}}", format!("...F{} ", n + 1).repeat(width)));
    format!("{{...F0}}{}fragment F{levels} on Query{{n}}", fragments.collect::<String>())
}

#[test]
fn a_fragment_bomb_costs_the_selections_that_are_written_down() {
    for (levels, width) in [(2, 2), (20, 2), (27, 2), (8, 7), (20, 60)] {
        let size = measured(&bomb(levels, width));
        let written = u64::try_from(1 + levels * width + 1).unwrap();
        assert_eq!(size.steps, written, "{levels} levels of {width}");
        assert_eq!(size.selections, u64::try_from(width).unwrap().saturating_pow(u32::try_from(levels).unwrap()));
    }
    for (levels, width) in [(20, 2), (27, 2), (8, 7), (20, 60), (30, 2), (90, 2)] {
        let code = code(&bomb(levels, width));
        assert!(code == code::TOO_LARGE || code == code::TOO_DEEP, "{levels} levels of {width}: {code}");
    }
}

#[test]
fn a_fragment_that_is_spread_often_is_counted_as_often() {
    let size =
        measured("{ a { ...F ...F } ...F } fragment F on Query { x: n @skip(if: false) b(first: 5) { nodes { id } } }");
    assert_eq!((size.selections, size.aliases, size.directives, size.rows), (1 + 3 * 4, 3, 3, 15));
    assert_eq!((size.depth, size.steps), (4, 8));
}

#[test]
fn pages_multiply_and_a_page_without_size_has_the_default_one() {
    assert_eq!(measured("{ n }").rows, 0);
    assert_eq!(measured("{ b(first: 10) { nodes { more(first: 10) { nodes { id } } } } }").rows, 10 + 100);
    assert_eq!(measured("{ b { nodes { more(first: 3) { nodes { id } } } } }").rows, 20 + 60);
    assert_eq!(measured("{ b(first: 2, last: 7) { nodes { id } } }").rows, 7);
    assert_eq!(measured("query($n: Int = 6) { list(first: $n) { id } }").rows, 6);
    assert_eq!(code("{ b(first: -1) { nodes { id } } }"), "admitted");
    assert_eq!(code("{ b(first: 2147483647) { nodes { id } } }"), code::TOO_COSTLY);
    assert_eq!(code("{ b(first: 99999999999999999999) { nodes { id } } }"), code::VALIDATION_FAILED);
}

#[test]
fn cycles_are_found_in_unused_fragments_too() {
    for query in [
        "{ ...F } fragment F on Query { ...F }",
        "{ n } fragment F on Query { ...G } fragment G on Query { a { ...F } }",
        "{ n } fragment F on Query { ...Missing }",
    ] {
        assert_eq!(code(query), code::VALIDATION_FAILED, "{query}");
    }
}

#[test]
fn nesting_is_bounded_however_it_is_made() {
    let nested = |open: &str, n: usize| format!("{{ {} n {} }}", open.repeat(n), "}".repeat(n));
    assert_eq!(code(&nested("a {", 14)), "admitted");
    assert_eq!(code(&nested("a {", 15)), code::TOO_DEEP);
    assert_eq!(code(&nested("... {", 40)), code::TOO_DEEP);
    assert_eq!(code(&nested("a {", 400)), code::TOO_DEEP);
    assert_eq!(code(&bomb(95, 1)), code::TOO_DEEP);
}

#[test]
fn every_operation_of_a_document_is_looked_at() {
    let heavy = format!("query A {{ n }} query B {{ {} }}", "x: n ".repeat(70));
    let request = DocumentRequest { operation_name: Some("A".into()), ..DocumentRequest::new(heavy) };
    assert_eq!(gate().admit(request, Transport::Post, true).unwrap_err().code, code::TOO_LARGE);
}

#[test]
fn the_operation_is_the_named_one() {
    let request = |name: Option<&str>| DocumentRequest {
        operation_name: name.map(str::to_owned),
        ..DocumentRequest::new("query A { n } mutation B { stop }")
    };
    let gate = gate();
    let by_get = |name| gate.admit(request(name), Transport::Get, true);
    assert_eq!(by_get(Some("A")).unwrap().gated.root_fields, ["n"]);
    assert_eq!(by_get(Some("B")).unwrap_err().status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(by_get(Some("C")).unwrap_err().code, code::OPERATION_NOT_FOUND);
    assert_eq!(by_get(None).unwrap_err().code, code::OPERATION_NOT_FOUND);
}

#[test]
fn many_mutations_in_one_document_are_refused() {
    assert_eq!(code(&format!("mutation {{ {} }}", "stop ".repeat(11))), code::TOO_LARGE);
}

#[test]
fn root_fields_are_found_inside_fragments() {
    let query = "{ ...F ... { n } } fragment F on Query { a { n } ...G } fragment G on Query { b { nodes { id } } n }";
    let admitted = gate().admit(DocumentRequest::new(query), Transport::Post, true).unwrap();
    assert_eq!(admitted.gated.root_fields, ["a", "b", "n"]);
    assert_eq!(code("{ ...F } fragment F on Query { nothing }"), code::VALIDATION_FAILED);
}

/// Prints what the gate costs on shapes that hurt parsers: `cargo test --release --lib gate_prints_its_costs -- --ignored --nocapture`.
#[test]
#[ignore = "prints times, which are a machine's, not a rule's"]
fn the_gate_prints_its_costs() {
    let shapes = [
        ("fields", format!("{{ {} }}", "n ".repeat(1_990))),
        ("fields beyond", format!("{{ {} }}", "n ".repeat(30_000))),
        ("braces", "{a".repeat(990)),
        ("lists", format!("{{ n(x: {}", "[".repeat(1_900))),
        ("objects", format!("{{ n(x: {}", "{a:".repeat(600))),
        ("list types", format!("query($x: {}", "[".repeat(1_900))),
        ("default lists", format!("query($x: Int = {}", "[".repeat(1_900))),
        ("closed lists", format!("{{ n(x: {}{}) }}", "[".repeat(60), "]".repeat(60))),
        ("closed objects", format!("{{ n(x: {}1{}) }}", "{a:".repeat(60), "}".repeat(60))),
        ("comments", "#\n".repeat(30_000)),
        ("string", format!("{{ n(x: \"{}\") }}", "\\u0041".repeat(10_000))),
        ("block string", format!("{{ n(x: \"\"\"{}\"\"\") }}", "\\\"\"\" \n".repeat(10_000))),
        ("open block string", format!("{{ n(x: \"\"\"{}", "\"\" ".repeat(20_000))),
        ("directives", format!("{{ n {} }}", "@skip(if: true) ".repeat(280))),
        ("numbers", format!("{{ n(x: [{}]) }}", "1 ".repeat(1_980))),
        ("long number", format!("{{ n(x: {}) }}", "1".repeat(60_000))),
        ("commas", ",".repeat(64_000)),
        ("fragments", bomb(95, 2)),
    ];
    let gate = gate();
    for (name, query) in shapes {
        let started = std::time::Instant::now();
        let outcome = gate.admit(DocumentRequest::new(query), Transport::Post, false);
        let code = outcome.map_or_else(|refusal| refusal.code, |_| "admitted");
        println!("{name:>20} {:>12?} {code}", started.elapsed());
    }
}
