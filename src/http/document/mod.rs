//! The document gate: nothing reaches the schema unless it is small, known and allowed.
//!
//! One walk over the parsed document, before validation, for HTTP, WebSocket and event streams alike; pure and synchronous.
//! It is no async-graphql extension and none may be registered: one makes every list field pay about double, and upstream
//! walks the fragments before an extension or a limit is asked (754 bytes cost it seconds). In order: a linear scan counts
//! tokens; the document is parsed once; each fragment is measured once; the operation is chosen; its root fields are looked
//! up in a table where what is not written is refused; variables are checked; the parsed document is handed on.
//!
//! No I/O, no clock, no credentials: who the caller is enters as one `bool`.
//!
//! ```
//! use gatehouse::http::{Access, DocumentGate, DocumentRequest, OperationKind, RootFields, SchemaMap, Transport};
//!
//! let schema = SchemaMap::parse("type Query { version: String! viewer: String }").unwrap();
//! let roots = RootFields::new([(OperationKind::Query, "version", Access::Public), (OperationKind::Query, "viewer", Access::Authenticated)]);
//! let gate = DocumentGate::new(schema, roots, Default::default(), true);
//!
//! let admitted = gate.admit(DocumentRequest::new("{ version }"), Transport::Post, false).unwrap();
//! assert_eq!(admitted.gated.root_fields, ["version"]);
//! let refusal = gate.admit(DocumentRequest::new("{ viewer }"), Transport::Post, false).unwrap_err();
//! assert_eq!(refusal.code, "UNAUTHENTICATED");
//! ```

mod directive;
mod literal;
mod measure;
mod refusal;
mod root_field;
mod scan;
mod variable;

use std::sync::Arc;

use async_graphql::{
    Name, Positioned, Request, Value, Variables,
    parser::{
        self,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition},
    },
};
use axum::http::StatusCode;

pub(super) use refusal::coded;
pub use refusal::{GateRefusal, code};
pub use root_field::{Access, OperationKind, RootFields};
pub(super) use variable::Values;

use super::{schema_map::SchemaMap, shape::Shape};
use crate::{ablate, config::DocumentLimits};

/// A request as it came over the wire, its JSON types checked, nothing else.
#[derive(Debug, Clone, Default)]
pub struct DocumentRequest {
    /// The document.
    pub query: String,
    /// Which of its operations to run.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// Extensions of the protocol.
    pub extensions: serde_json::Map<String, serde_json::Value>,
}

impl DocumentRequest {
    /// A request of a document alone.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), ..Self::default() }
    }
}

/// How a request came, which decides what kinds of operation it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP GET: queries alone, whatever the URL says, so that no link changes anything.
    Get,
    /// HTTP POST: queries and mutations.
    Post,
    /// An event stream asked by GET: queries and subscriptions.
    EventsByGet,
    /// An event stream asked by POST: everything.
    EventsByPost,
    /// A WebSocket: everything.
    Socket,
}

/// A request that passed the gate.
#[derive(Debug)]
pub struct GatedRequest {
    /// The request for the schema, with its parsed document.
    pub request: Request,
    /// The kind of the chosen operation.
    pub operation: OperationKind,
    /// The chosen operation's root fields, in order, each name once; introspection fields included.
    pub root_fields: Vec<String>,
    /// Rows that the document may ask for at most.
    pub cost: u64,
}

/// What the gate gives out: the request, and the shape its answer must have.
#[derive(Debug)]
pub struct Admitted {
    /// For the schema.
    pub gated: GatedRequest,
    /// For the responder.
    pub shape: Shape,
}

/// The gate of one schema.
#[derive(Debug)]
pub struct DocumentGate {
    schema: Arc<SchemaMap>,
    roots: RootFields,
    limits: DocumentLimits,
    introspection: bool,
}

impl DocumentGate {
    /// A gate in front of a schema. Only root fields in `roots` pass; `introspection` opens `__schema` and `__type`.
    #[must_use]
    pub fn new(schema: SchemaMap, roots: RootFields, limits: DocumentLimits, introspection: bool) -> Self {
        Self { schema: Arc::new(schema), roots, limits, introspection }
    }

    /// Lets a request pass, or says why not.
    ///
    /// # Errors
    /// The refusal's code and message are stable; nothing in it comes from a parser's internals.
    pub fn admit(
        &self,
        request: DocumentRequest,
        transport: Transport,
        authenticated: bool,
    ) -> Result<Admitted, GateRefusal> {
        if !ablate::off("document_scan") {
            scan::scan(&request.query, &self.limits)?;
        }
        let mut document =
            parser::parse_query(&request.query).map_err(|error| refusal::syntax(&error, &request.query))?;
        self.check_definitions(&document)?;
        let (name, operation) = choose(&document, request.operation_name.as_deref())?;
        let operation = operation.clone();
        let kind = OperationKind::from(operation.node.ty);
        if !ablate::off("transport") {
            check_transport(kind, transport)?;
        }

        let mut variables = Variables::from_json(request.variables.into());
        if ablate::off("input_fields") {
            variable::forget_unknown_fields(&operation.node, &mut variables, &self.schema);
        }
        let values = variable::Values::new(&operation.node, &variables);
        let size = measure::measure(&measure::Subject {
            document: &document,
            operation: &operation,
            values: &values,
            schema: &self.schema,
            limits: &self.limits,
        })?;
        let root_fields = self.check_roots(&document, &operation.node, kind, authenticated)?;
        if !ablate::off("variables") {
            variable::check(&operation.node, &variables, &self.schema)?;
        }
        values.complete(&mut variables);

        let shape = Shape::new(&mut document, name.clone(), operation.node.ty, &values, &self.schema);
        let mut gated = Request::new(request.query).variables(variables);
        gated.operation_name = name.map(|name| name.to_string());
        gated.extensions.extend(request.extensions.into_iter().map(|(key, value)| {
            let value = Value::from_json(value).unwrap_or_default();
            (key, value)
        }));
        gated.set_parsed_query(document);
        Ok(Admitted { gated: GatedRequest { request: gated, operation: kind, root_fields, cost: size.rows }, shape })
    }

    fn check_definitions(&self, document: &ExecutableDocument) -> Result<(), GateRefusal> {
        let count = document.operations.iter().len() + document.fragments.len();
        if count > self.limits.definitions {
            return Err(GateRefusal::too_large(format!(
                "the document has {count} definitions, more than {}",
                self.limits.definitions
            )));
        }
        directive::check_definitions(document)
    }

    fn check_roots(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        kind: OperationKind,
        authenticated: bool,
    ) -> Result<Vec<String>, GateRefusal> {
        let fields = root_field::collect(document, operation);
        if kind == OperationKind::Subscription && fields.len() != 1 {
            return Err(GateRefusal::invalid("a subscription must select exactly one root field", None));
        }
        if kind == OperationKind::Mutation && fields.len() > self.limits.mutations {
            return Err(GateRefusal::too_large(format!(
                "the document asks for {} mutations, more than {}",
                fields.len(),
                self.limits.mutations
            )));
        }
        let mut names: Vec<String> = Vec::with_capacity(fields.len());
        for field in fields {
            let name = field.node.name.node.as_str();
            let introspection = matches!(name, "__typename" | "__schema" | "__type");
            if introspection {
                let open = name == "__typename" || (self.introspection && kind == OperationKind::Query);
                if !open || kind == OperationKind::Subscription {
                    return Err(GateRefusal::invalid(
                        format!("introspection by `{name}` is switched off"),
                        Some(field.pos),
                    ));
                }
            } else {
                match self.roots.find(kind, name) {
                    Some(Access::Public) => {}
                    Some(Access::Authenticated) if authenticated || ablate::off("root_access") => {}
                    Some(Access::Authenticated) => return Err(GateRefusal::unauthenticated(name, field.pos)),
                    None if ablate::off("root_fields") => {}
                    None => {
                        let message = format!("unknown field `{name}` at the root of this {}", kind.noun());
                        return Err(GateRefusal::invalid(message, Some(field.pos)));
                    }
                }
            }
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}

/// The operation that is meant: the only one, or the one that is named.
fn choose<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<Name>, &'d Positioned<OperationDefinition>), GateRefusal> {
    let unknown = |name: &str| GateRefusal {
        status: StatusCode::BAD_REQUEST,
        code: code::OPERATION_NOT_FOUND,
        message: format!("the document has no operation named `{}`", refusal::shown(name)),
        locations: Vec::new(),
    };
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get_key_value(name).map(|(name, found)| (Some(name.clone()), found)).ok_or_else(|| unknown(name))
        }
        (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
            Some((name, operation)) if operations.len() == 1 => Ok((Some(name.clone()), operation)),
            _ => Err(GateRefusal {
                status: StatusCode::BAD_REQUEST,
                code: code::OPERATION_NOT_FOUND,
                message: "the document has several operations: `operationName` must name one".to_owned(),
                locations: Vec::new(),
            }),
        },
    }
}

fn check_transport(kind: OperationKind, transport: Transport) -> Result<(), GateRefusal> {
    match (transport, kind) {
        (_, OperationKind::Query)
        | (Transport::Post, OperationKind::Mutation)
        | (Transport::EventsByGet, OperationKind::Subscription)
        | (Transport::EventsByPost | Transport::Socket, _) => Ok(()),
        (Transport::Get | Transport::EventsByGet, OperationKind::Mutation) => Err(GateRefusal {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: code::METHOD_NOT_ALLOWED,
            message: "a mutation must be sent by POST".to_owned(),
            locations: Vec::new(),
        }),
        (Transport::Get, OperationKind::Subscription) => Err(GateRefusal {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: code::METHOD_NOT_ALLOWED,
            message: "a subscription needs a WebSocket (`graphql-transport-ws`) or an event stream".to_owned(),
            locations: Vec::new(),
        }),
        (Transport::Post, OperationKind::Subscription) => Err(GateRefusal::invalid(
            "a subscription needs a WebSocket (`graphql-transport-ws`) or an event stream (`Accept: text/event-stream`)",
            None,
        )),
    }
}

#[cfg(test)]
mod tests;
