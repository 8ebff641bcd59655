//! The schema as the door needs it: which field has which type, read once from the SDL.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name,
    parser::{
        self,
        types::{BaseType, FieldDefinition, OperationType, Type, TypeKind, TypeSystemDefinition},
    },
};

/// Why an SDL text cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the schema's own SDL does not parse: {0}")]
pub struct SchemaMapError(#[from] parser::Error);

/// A compact map of a schema's types.
#[derive(Debug)]
pub struct SchemaMap {
    types: HashMap<Name, TypeEntry>,
    query: Name,
    mutation: Option<Name>,
    subscription: Option<Name>,
}

/// What is known of one named type.
#[derive(Debug)]
pub(crate) enum TypeEntry {
    /// A scalar or enum of the schema; enums keep their values.
    Leaf(Option<HashSet<Name>>),
    /// An object type.
    Object(HashMap<Name, FieldEntry>),
    /// An interface or union: its fields, and the object types it may stand for.
    Abstract(HashMap<Name, FieldEntry>, HashSet<Name>),
    /// An input object.
    Input(InputEntry),
}

/// An output field.
#[derive(Debug)]
pub(crate) struct FieldEntry {
    pub(crate) ty: Type,
    pub(crate) arguments: HashMap<Name, Type>,
}

/// An input object: its fields with types, and which of them have a default.
#[derive(Debug)]
pub(crate) struct InputEntry {
    pub(crate) fields: HashMap<Name, (Type, bool)>,
    pub(crate) one_of: bool,
}

impl SchemaMap {
    /// Reads the SDL that the schema printed of itself.
    ///
    /// # Errors
    /// When the text is no SDL.
    pub fn parse(sdl: &str) -> Result<Self, SchemaMapError> {
        let document = parser::parse_schema(sdl)?;
        let mut map = Self { types: HashMap::new(), query: Name::new("Query"), mutation: None, subscription: None };
        let mut possible: HashMap<Name, HashSet<Name>> = HashMap::new();
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    if let Some(query) = schema.node.query {
                        map.query = query.node;
                    }
                    map.mutation = schema.node.mutation.map(|name| name.node).or(map.mutation);
                    map.subscription = schema.node.subscription.map(|name| name.node).or(map.subscription);
                }
                TypeSystemDefinition::Directive(_) => {}
                TypeSystemDefinition::Type(definition) => {
                    let name = definition.node.name.node;
                    let one_of = definition.node.directives.iter().any(|d| d.node.name.node == "oneOf");
                    let entry = match definition.node.kind {
                        TypeKind::Scalar => TypeEntry::Leaf(None),
                        TypeKind::Enum(kind) => {
                            TypeEntry::Leaf(Some(kind.values.into_iter().map(|value| value.node.value.node).collect()))
                        }
                        TypeKind::Object(kind) => {
                            for interface in kind.implements {
                                possible.entry(interface.node).or_default().insert(name.clone());
                            }
                            TypeEntry::Object(fields(kind.fields))
                        }
                        TypeKind::Interface(kind) => TypeEntry::Abstract(fields(kind.fields), HashSet::new()),
                        TypeKind::Union(kind) => TypeEntry::Abstract(
                            HashMap::new(),
                            kind.members.into_iter().map(|member| member.node).collect(),
                        ),
                        TypeKind::InputObject(kind) => {
                            let fields = kind.fields.into_iter().map(|field| {
                                let field = field.node;
                                (field.name.node, (field.ty.node, field.default_value.is_some()))
                            });
                            TypeEntry::Input(InputEntry { fields: fields.collect(), one_of })
                        }
                    };
                    map.types.insert(name, entry);
                }
            }
        }
        for (interface, objects) in possible {
            if let Some(TypeEntry::Abstract(_, known)) = map.types.get_mut(&interface) {
                known.extend(objects);
            }
        }
        Ok(map)
    }

    /// The root type of an operation, if the schema has one.
    pub(crate) fn root(&self, operation: OperationType) -> Option<&Name> {
        match operation {
            OperationType::Query => Some(&self.query),
            OperationType::Mutation => self.mutation.as_ref(),
            OperationType::Subscription => self.subscription.as_ref(),
        }
    }

    /// What is known of a named type; built-in scalars and introspection types are not in the map.
    pub(crate) fn get(&self, name: &str) -> Option<&TypeEntry> {
        self.types.get(name)
    }

    /// A field of an object or interface type.
    pub(crate) fn field(&self, parent: &str, field: &str) -> Option<&FieldEntry> {
        match self.types.get(parent)? {
            TypeEntry::Object(fields) | TypeEntry::Abstract(fields, _) => fields.get(field),
            TypeEntry::Leaf(_) | TypeEntry::Input(_) => None,
        }
    }

    /// Whether a fragment on `condition` applies to the object type `object`.
    pub(crate) fn applies(&self, condition: &str, object: &str) -> bool {
        condition == object
            || matches!(self.types.get(condition), Some(TypeEntry::Abstract(_, objects)) if objects.contains(object))
    }

    /// The name of an object type, as this map keeps it.
    pub(crate) fn object_name(&self, name: &str) -> Option<&str> {
        self.types.get_key_value(name).map(|(name, _)| name.as_str())
    }

    /// Whether the type is an interface or union.
    pub(crate) fn is_abstract(&self, name: &str) -> bool {
        matches!(self.types.get(name), Some(TypeEntry::Abstract(..)))
    }
}

/// The name at the heart of a type, lists and non-null taken off.
pub(crate) fn named(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

fn fields(list: Vec<async_graphql::Positioned<FieldDefinition>>) -> HashMap<Name, FieldEntry> {
    list.into_iter()
        .map(|field| {
            let field = field.node;
            let arguments =
                field.arguments.into_iter().map(|argument| (argument.node.name.node, argument.node.ty.node));
            (field.name.node, FieldEntry { ty: field.ty.node, arguments: arguments.collect() })
        })
        .collect()
}
