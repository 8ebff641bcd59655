//! The schema as it is written down, and its fences as a client meets them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, ConstDirective, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeDefinition,
        TypeKind, TypeSystemDefinition,
    },
};
use gatehouse::graphql::{
    node::NodeType,
    root::{Audience, FIELDS, Root},
};
use serde_json::Value;

use crate::support::gateway::Gateway;

/// The schema's types, by name.
struct Schema(BTreeMap<String, TypeDefinition>);

impl Schema {
    fn read() -> Self {
        let document: ServiceDocument = parse_schema(gatehouse::graphql::sdl()).unwrap();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node)),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        });
        Self(types.collect())
    }

    fn fields(&self, ty: &str) -> Vec<&FieldDefinition> {
        match self.0.get(ty).map(|ty| &ty.kind) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|field| &field.node).collect(),
            Some(TypeKind::Interface(interface)) => interface.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    fn root(&self, root: Root) -> Vec<&FieldDefinition> {
        self.fields(match root {
            Root::Query => "Query",
            Root::Mutation => "Mutation",
            Root::Subscription => "Subscription",
        })
    }

    /// A value that fits a type, as it is written in a document.
    fn sample(&self, ty: &Type) -> String {
        let name = match &ty.base {
            BaseType::List(inner) => return format!("[{}]", self.sample(inner)),
            BaseType::Named(name) => name.as_str(),
        };
        match (name, self.0.get(name).map(|ty| &ty.kind)) {
            ("Int", _) => "1".to_owned(),
            ("Float", _) => "1.0".to_owned(),
            ("Boolean", _) => "true".to_owned(),
            ("DateTime", _) => "\"2026-01-01T00:00:00Z\"".to_owned(),
            (_, Some(TypeKind::Enum(kind))) => kind.values[0].node.value.node.to_string(),
            (_, Some(TypeKind::InputObject(input))) => {
                let one_of = self.0[name].directives.iter().any(|directive| directive.node.name.node == "oneOf");
                let fields = input.fields.iter().map(|field| &field.node);
                let wanted: Vec<_> =
                    if one_of { fields.take(1).collect() } else { fields.filter(|f| needed(f)).collect() };
                let parts = wanted.iter().map(|field| format!("{}: {}", field.name.node, self.sample(&field.ty.node)));
                format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
            }
            _ => "\"x\"".to_owned(),
        }
    }

    /// A field with samples of the arguments it needs, and the least that can be selected of it.
    fn selection(&self, field: &FieldDefinition) -> String {
        let needed = field.arguments.iter().map(|argument| &argument.node).filter(|argument| needed(argument));
        let arguments: Vec<_> =
            needed.map(|argument| format!("{}: {}", argument.name.node, self.sample(&argument.ty.node))).collect();
        let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        let composite = !matches!(
            self.0.get(heart(&field.ty.node)).map(|ty| &ty.kind),
            None | Some(TypeKind::Scalar | TypeKind::Enum(_))
        );
        format!("{}{arguments}{}", field.name.node, if composite { " { __typename }" } else { "" })
    }
}

fn needed(argument: &InputValueDefinition) -> bool {
    !argument.ty.node.nullable && argument.default_value.is_none()
}

fn heart(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => heart(inner),
    }
}

fn permission(directives: &[async_graphql::Positioned<ConstDirective>]) -> Option<String> {
    let directive = directives.iter().find(|directive| directive.node.name.node == "permission")?;
    let (_, name) = directive.node.arguments.iter().find(|(argument, _)| argument.node == "name")?;
    match &name.node {
        async_graphql_value::ConstValue::String(name) => Some(name.clone()),
        _ => None,
    }
}

#[test]
fn the_schema_in_the_repository_is_the_present_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    let written = fs::read_to_string(path).unwrap_or_default();
    let same = written == gatehouse::graphql::sdl();
    assert!(same, "schema.graphql is not the present schema: run `cargo run -- schema --output schema.graphql`");
}

/// Every type, field, argument and enum value says what it is.
#[test]
fn everything_in_the_schema_is_described() {
    let mut silent = Vec::new();
    for (name, ty) in Schema::read().0 {
        if name.starts_with("__") {
            continue;
        }
        let mut ask = |what: String, described: bool| {
            if !described {
                silent.push(what);
            }
        };
        ask(name.clone(), ty.description.is_some() || matches!(ty.kind, TypeKind::Scalar));
        match &ty.kind {
            TypeKind::Object(object) => {
                for field in &object.fields {
                    let field = &field.node;
                    ask(format!("{name}.{}", field.name.node), field.description.is_some());
                    for argument in &field.arguments {
                        let what = format!("{name}.{}({})", field.name.node, argument.node.name.node);
                        // An only argument `input` is described by its type.
                        ask(what, argument.node.description.is_some() || argument.node.name.node == "input");
                    }
                }
            }
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    ask(format!("{name}.{}", field.node.name.node), field.node.description.is_some());
                }
            }
            TypeKind::Enum(kind) => {
                for value in &kind.values {
                    ask(format!("{name}.{}", value.node.value.node), value.node.description.is_some());
                }
            }
            TypeKind::Scalar | TypeKind::Interface(_) | TypeKind::Union(_) => {}
        }
    }
    // The library's own.
    silent.retain(|what| !what.starts_with("PageInfo"));
    assert!(silent.is_empty(), "write a doc comment for: {silent:?}");
}

#[test]
fn every_root_field_has_a_row_and_every_row_a_field() {
    let schema = Schema::read();
    let mut fields: Vec<(Root, String)> = Vec::new();
    for root in [Root::Query, Root::Mutation, Root::Subscription] {
        fields.extend(schema.root(root).iter().map(|field| (root, field.name.node.to_string())));
    }
    let mut rows: Vec<(Root, String)> = FIELDS.iter().map(|(root, name, _)| (*root, (*name).to_owned())).collect();
    fields.sort();
    rows.sort();
    let missing: Vec<_> = fields.iter().filter(|field| !rows.contains(field)).collect();
    let dangling: Vec<_> = rows.iter().filter(|row| !fields.contains(row)).collect();
    assert!(missing.is_empty(), "add rows to src/graphql/root.rs; until then nobody may ask for {missing:?}");
    assert!(dangling.is_empty(), "src/graphql/root.rs names what the schema has not: {dangling:?}");
    rows.dedup();
    assert_eq!(rows.len(), FIELDS.len(), "a root field has two rows");
}

#[tokio::test]
async fn every_field_for_callers_is_refused_to_a_stranger() {
    let gateway = Gateway::sqlite().await;
    let (schema, stranger) = (Schema::read(), gateway.stranger());
    let mut asked = 0;
    for (root, name, audience) in FIELDS {
        if *audience == Audience::Anyone {
            continue;
        }
        let field = schema.root(*root).into_iter().find(|field| field.name.node == *name).unwrap();
        let kind = match root {
            Root::Query => "query",
            Root::Mutation => "mutation",
            Root::Subscription => "subscription",
        };
        if *root == Root::Subscription {
            // Over POST a subscription is refused to everyone; a stream is asked for.
            let request =
                reqwest::Client::new().post(format!("{}/graphql", gateway.url)).header("accept", "text/event-stream");
            let document = format!("{kind} {{ {} }}", schema.selection(field));
            let text =
                request.json(&serde_json::json!({ "query": document })).send().await.unwrap().text().await.unwrap();
            assert!(text.contains("\"UNAUTHENTICATED\"") && !text.contains("\"data\":{"), "{name}: {text}");
        } else {
            let answer = stranger.ask(&format!("{kind} {{ {} }}", schema.selection(field))).await;
            assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED"]), "{name}: {}", answer.text);
            assert!(answer.body.get("data").is_none_or(Value::is_null), "{name}: {}", answer.text);
        }
        asked += 1;
    }
    assert!(asked > 5, "{asked} fields");
}

/// The guards refuse who lacks the permission, and nobody else, and leave the field's neighbours alone.
#[tokio::test]
async fn every_guarded_field_is_refused_without_its_permission() {
    let gateway = Gateway::sqlite().await;
    gateway.service.install_blueprint(include_str!("cases/narrow.toml")).await.unwrap();
    let tenant = gateway.organization("narrow", "narrow", "free").await;
    let nobody = gateway.member(&tenant, "bob", "nobody").await;
    let head = gateway.member(&tenant, "alice", "head").await;
    // Somebody without a permission may still see an app.
    let app = gateway.app(&tenant, "shelf", "poems").await;
    gateway.tick(&tenant, &nobody, app, "books", None).await;
    let app = NodeType::App.id(app).to_string();
    let schema = Schema::read();
    let mut guarded = 0;
    for (name, ty) in &schema.0 {
        for field in schema.fields(name) {
            let Some(permission) = permission(&field.directives) else { continue };
            guarded += 1;
            assert!(field.ty.node.nullable, "{name}.{} is guarded, so it must be nullable", field.name.node);
            let asked = format!("slug it: {}", schema.selection(field));
            let (document, path, slug) = match name.as_str() {
                "Organization" => {
                    (format!("{{ viewer {{ organization {{ {asked} }} }} }}"), "viewer.organization", "narrow")
                }
                "App" => (format!("{{ node(id: \"{app}\") {{ ... on App {{ {asked} }} }} }}"), "node", "poems"),
                _ => panic!("say here how a test reaches a `{}`", ty.name.node),
            };
            let answer = nobody.ask(&document).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{permission}: {}", answer.text);
            assert_eq!(answer.at(&format!("{path}.slug")), slug, "its neighbours stay: {}", answer.text);
            assert!(answer.at(&format!("{path}.it")).is_null());
            assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains(&permission), "{}", answer.text);
            let answer = head.ask(&document).await;
            assert!(!answer.codes().contains(&"FORBIDDEN"), "{permission}: {}", answer.text);
        }
    }
    assert!(guarded >= 3, "{guarded} guarded fields");
}

/// C14: an object is made of parts, and is reached by many paths; its guards are there on each of them.
#[tokio::test]
async fn c14_a_guard_of_a_merged_object_holds_on_every_path() {
    let gateway = Gateway::sqlite().await;
    gateway.service.install_blueprint(include_str!("cases/narrow.toml")).await.unwrap();
    let tenant = gateway.organization("narrow", "narrow", "free").await;
    let nobody = gateway.member(&tenant, "bob", "nobody").await;
    let app = gateway.app(&tenant, "shelf", "poems").await;
    gateway.tick(&tenant, &nobody, app, "books", None).await;
    let (app, organization) = (NodeType::App.id(app).to_string(), NodeType::Organization.id(tenant.id).to_string());
    // Each path with `…` where the object's fields stand.
    let paths: [(&str, Vec<String>); 2] = [
        (
            "Organization",
            vec![
                "{ viewer { organization { … } } }".to_owned(),
                "{ organization(slug: \"narrow\") { … } }".to_owned(),
                format!("{{ node(id: \"{organization}\") {{ ... on Organization {{ … }} }} }}"),
                format!("{{ nodes(ids: [\"{organization}\"]) {{ ... on Organization {{ … }} }} }}"),
                format!("query {{ node(id: \"{organization}\") {{ ...F }} }} fragment F on Organization {{ … }}"),
            ],
        ),
        (
            "App",
            vec![
                format!("{{ node(id: \"{app}\") {{ ... on App {{ … }} }} }}"),
                format!("{{ nodes(ids: [\"{app}\"]) {{ ... on Node {{ ... on App {{ … }} }} }} }}"),
                "{ organization(slug: \"narrow\") { apps { edges { node { … } } } } }".to_owned(),
            ],
        ),
    ];
    let schema = Schema::read();
    let mut asked = 0;
    for name in schema.0.keys() {
        for field in schema.fields(name) {
            let Some(permission) = permission(&field.directives) else { continue };
            let (_, paths) = paths.iter().find(|(owner, _)| owner == name).expect("say here how it is reached");
            for path in paths {
                let answer = nobody.ask(&path.replace('…', &format!("id it: {}", schema.selection(field)))).await;
                assert_eq!(answer.codes(), ["FORBIDDEN"], "{path}: {permission}: {}", answer.text);
                assert!(answer.text.contains("\"it\":null"), "{path}: {}", answer.text);
                asked += 1;
            }
        }
    }
    assert!(asked >= 30, "{asked} questions");
}
