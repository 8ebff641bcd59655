//! The shape of an answer: every selected field present, in order, null where it failed, as the specification asks.
//!
//! async-graphql 7.2.1 leaves a failed field out of `data`, lets no failure bubble, turns an object into null when all its
//! fields failed, and orders fields by when they were ready. Typed and normalised clients break on each of these. So the
//! data is completed against the document and the schema: a failed nullable field becomes null, a failed non-null field
//! takes its nearest nullable parent with it (section 6.4.4), and fields stand as they were selected (section 6.3.2).
//!
//! Below an interface or union the concrete type decides which fields were asked for. [`Shape::new`] therefore asks for
//! `__typename` there, under a name of its own, and completion takes it out again.
//!
//! Pure: no I/O and no knowledge of HTTP. What happened in a resolver is not judged here, only put in its place.

mod plan;

use std::sync::Arc;

use async_graphql::{
    Name, PathSegment, Pos, Positioned, Response, ServerError, Value,
    indexmap::IndexMap,
    parser::types::{BaseType, ExecutableDocument, Field, OperationType, Selection, SelectionSet, Type},
};

use super::{
    document::Values,
    schema_map::{SchemaMap, named},
};
use plan::{Node, PlanField};

/// The name under which the concrete type of an interface or union is asked for.
pub(super) const MARK: &str = "__gatehouse_type";

/// The shape that the answer to one operation must have.
#[derive(Debug)]
pub struct Shape {
    document: Arc<ExecutableDocument>,
    operation: Option<Name>,
    root: Option<Name>,
    values: Values,
    schema: Arc<SchemaMap>,
}

/// A non-null field failed: the nearest nullable parent becomes null.
struct Bubble;

impl Shape {
    /// Marks the document for completion, and keeps what completion needs.
    pub(super) fn new(
        document: &mut ExecutableDocument,
        operation: Option<Name>,
        kind: OperationType,
        values: &Values,
        schema: &Arc<SchemaMap>,
    ) -> Self {
        let root = schema.root(kind).cloned();
        for fragment in document.fragments.values_mut() {
            let on = fragment.node.type_condition.node.on.node.clone();
            mark(&mut fragment.node.selection_set.node, Some(&on), schema);
        }
        match &mut document.operations {
            async_graphql::parser::types::DocumentOperations::Single(operation) => {
                mark(&mut operation.node.selection_set.node, root.as_ref(), schema);
            }
            async_graphql::parser::types::DocumentOperations::Multiple(operations) => {
                for operation in operations.values_mut() {
                    let root = schema.root(operation.node.ty).cloned();
                    mark(&mut operation.node.selection_set.node, root.as_ref(), schema);
                }
            }
        }
        Self {
            document: Arc::new(document.clone()),
            operation,
            root,
            values: values.clone(),
            schema: Arc::clone(schema),
        }
    }

    /// Gives a response the shape that the specification asks for. A request error, which has no data, stays as it is.
    pub fn complete(&self, response: &mut Response) {
        if is_request_error(response) {
            return;
        }
        let Some((root, set)) = self.root.as_ref().zip(self.selection()) else { return };
        let completion = Completion { shape: self, errors: &response.errors };
        let node = Node::new(vec![set]);
        let mut data = std::mem::take(&mut response.data);
        if matches!(data, Value::Null) {
            data = Value::Object(IndexMap::new());
        }
        let whole = match &mut data {
            Value::Object(map) => completion.object(map, root, &node, None),
            _ => Ok(()),
        };
        response.data = if whole.is_ok() { data } else { Value::Null };
        response.errors.sort_by(|a, b| key(a).cmp(&key(b)));
    }

    fn selection(&self) -> Option<&SelectionSet> {
        let mut operations = self.document.operations.iter();
        let (_, operation) =
            operations.find(|(name, _)| self.operation.is_none() || *name == self.operation.as_ref())?;
        Some(&operation.node.selection_set.node)
    }
}

/// Whether the request failed before anything ran: there is no data, and no error belongs to a field.
#[must_use]
pub(crate) fn is_request_error(response: &Response) -> bool {
    matches!(response.data, Value::Null)
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Errors stand in the order of the document, then of the answer, not of whoever was ready first.
fn key(error: &ServerError) -> (Option<Pos>, Vec<(usize, &str)>) {
    let path = error.path.iter().map(|segment| match segment {
        PathSegment::Field(name) => (0, name.as_str()),
        PathSegment::Index(index) => (*index, ""),
    });
    (error.locations.first().copied(), path.collect())
}

/// A place in the answer, linked to the one around it.
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    segment: Segment<'p>,
}

enum Segment<'p> {
    Field(&'p str),
    Index(usize),
}

struct Completion<'d> {
    shape: &'d Shape,
    errors: &'d [ServerError],
}

impl<'d> Completion<'d> {
    fn object(
        &self,
        map: &mut IndexMap<Name, Value>,
        of: &'d str,
        node: &Node<'d>,
        path: Option<&Path<'_>>,
    ) -> Result<(), Bubble> {
        let plan = node.plan(of, self.shape);
        let ordered = map.len() == plan.len() && map.keys().zip(plan.iter()).all(|(key, field)| key == field.key);
        if !ordered {
            let mut rest = std::mem::take(map);
            for field in plan.iter() {
                if let Some(value) = rest.swap_remove(field.key) {
                    map.insert(field.key.clone(), value);
                } else {
                    map.insert(field.key.clone(), Value::Null);
                    if matches!(field.ty, Some(ty) if !ty.nullable) && field.node.is_none() {
                        return Err(Bubble);
                    }
                }
            }
        }
        for (value, field) in map.values_mut().zip(plan.iter()) {
            let path = Path { parent: path, segment: Segment::Field(field.key) };
            self.field(value, field, &path)?;
        }
        Ok(())
    }

    fn field(&self, value: &mut Value, field: &PlanField<'d>, path: &Path<'_>) -> Result<(), Bubble> {
        match (field.ty, &field.node) {
            (Some(ty), Some(node)) => self.value(value, ty, node, path),
            (Some(ty), None)
                if !ty.nullable && matches!(value, Value::Null) && (self.failed(path) || self.failed_below(path)) =>
            {
                Err(Bubble)
            }
            _ => Ok(()),
        }
    }

    fn value(&self, value: &mut Value, ty: &'d Type, node: &Node<'d>, path: &Path<'_>) -> Result<(), Bubble> {
        let result = match &ty.base {
            BaseType::List(item) => match value {
                Value::List(items) => items.iter_mut().enumerate().try_for_each(|(index, one)| {
                    self.value(one, item, node, &Path { parent: Some(path), segment: Segment::Index(index) })
                }),
                _ => Err(Bubble),
            },
            BaseType::Named(name) => self.composite(value, name, ty.nullable, node, path),
        };
        match result {
            Ok(()) => Ok(()),
            Err(Bubble) if ty.nullable => {
                *value = Value::Null;
                Ok(())
            }
            Err(Bubble) => Err(Bubble),
        }
    }

    fn composite(
        &self,
        value: &mut Value,
        name: &'d Name,
        nullable: bool,
        node: &Node<'d>,
        path: &Path<'_>,
    ) -> Result<(), Bubble> {
        let of = match value {
            Value::Object(map) if self.shape.schema.is_abstract(name) => match map.get(MARK) {
                Some(Value::String(concrete)) => self.shape.schema.object_name(concrete).ok_or(Bubble)?,
                _ => return Err(Bubble),
            },
            _ => name.as_str(),
        };
        if matches!(value, Value::Null) {
            // Null stands for an object of which nothing is left when every field failed, or every one was skipped.
            let emptied =
                !self.shape.schema.is_abstract(name) && !self.failed(path) && (self.failed_below(path) || !nullable);
            if !emptied {
                return Err(Bubble);
            }
            *value = Value::Object(IndexMap::new());
        }
        let Value::Object(map) = value else { return Ok(()) };
        if self.shape.schema.is_abstract(name) {
            map.shift_remove(MARK);
        }
        self.object(map, of, node, Some(path))
    }

    /// Whether an error names exactly this place.
    fn failed(&self, path: &Path<'_>) -> bool {
        self.errors.iter().any(|error| path.leads(&error.path))
    }

    /// Whether an error names a place below this one.
    fn failed_below(&self, path: &Path<'_>) -> bool {
        let length = path.len();
        self.errors
            .iter()
            .any(|error| error.path.len() > length && path.leads(error.path.get(..length).unwrap_or_default()))
    }
}

impl Path<'_> {
    fn len(&self) -> usize {
        1 + self.parent.map_or(0, Path::len)
    }

    /// Whether these segments are this path.
    fn leads(&self, segments: &[PathSegment]) -> bool {
        let Some((last, rest)) = segments.split_last() else { return false };
        let same = match (&self.segment, last) {
            (Segment::Field(name), PathSegment::Field(other)) => name == other,
            (Segment::Index(index), PathSegment::Index(other)) => index == other,
            _ => false,
        };
        same && self.parent.map_or(rest.is_empty(), |parent| parent.leads(rest))
    }
}

/// Asks for the concrete type wherever the schema leaves it open.
fn mark(set: &mut SelectionSet, parent: Option<&Name>, schema: &SchemaMap) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                let entry = parent.and_then(|parent| schema.field(parent, &field.node.name.node));
                let Some(of) = entry.map(|entry| named(&entry.ty)) else { continue };
                let pos = field.pos;
                let children = &mut field.node.selection_set.node;
                mark(children, Some(of), schema);
                if schema.is_abstract(of) && !children.items.is_empty() {
                    children.items.push(Positioned::new(Selection::Field(typename(pos)), pos));
                }
            }
            Selection::InlineFragment(inline) => {
                let condition = inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.clone());
                mark(&mut inline.node.selection_set.node, condition.as_ref().or(parent), schema);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn typename(pos: Pos) -> Positioned<Field> {
    let field = Field {
        alias: Some(Positioned::new(Name::new(MARK), pos)),
        name: Positioned::new(Name::new("__typename"), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    };
    Positioned::new(field, pos)
}
