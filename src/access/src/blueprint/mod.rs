//! Blueprints: the rules of one kind of product, as data.
//!
//! A blueprint is written in TOML, parsed and validated whole ([`Blueprint::parse`]) and compiled to bits: every organization
//! permission has a place in one bit set, every action of an app kind a place in that kind's. No rule in this program asks for
//! a blueprint, a role or a feature by name; what a product needs is said in the document.
//!
//! What may not enter: anything about a particular organization or principal (that is [`Facts`](crate::Facts)).

mod check;
pub mod custom;
pub mod document;
mod error;
mod own_data;
mod rightset;
mod roles;
mod selector;
mod shape;

use indexmap::IndexMap;

pub use custom::CustomRole;
pub use document::Document;
pub use error::BlueprintError;
pub use rightset::RightSet;
pub use selector::SelectorError;

use crate::verb::PERMISSIONS;
use document::{DenyMode, Text};
use roles::RoleRights;

/// A validated, compiled blueprint.
#[derive(Debug, Clone)]
pub struct Blueprint {
    document: Document,
    permissions: IndexMap<String, Text>,
    kinds: IndexMap<String, Kind>,
    roles: IndexMap<String, RoleRights>,
    /// An organization's own roles that are switched off: key and label.
    disabled: IndexMap<String, String>,
    all: RightSet,
}

/// A compiled app kind.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) features: IndexMap<String, Feature>,
    pub(crate) all: u128,
    pub(crate) public: Option<Public>,
}

/// What a public app of a kind gives (`Q16`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Public {
    /// The kind of the app above it on which something must be held; `None` is the organization.
    pub(crate) to: Option<usize>,
    pub(crate) bits: u128,
}

/// A compiled feature: its actions' bits, and what a tick or each level gives.
#[derive(Debug, Clone)]
pub(crate) struct Feature {
    pub(crate) actions: IndexMap<String, u128>,
    pub(crate) granted: u128,
    pub(crate) levels: Vec<(String, u128)>,
    pub(crate) all: u128,
}

impl Feature {
    /// The strongest level that these bits contain whole.
    pub(crate) fn level(&self, mask: u128) -> Option<&str> {
        self.levels.iter().rev().find(|(_, bits)| bits & !mask == 0).map(|(key, _)| key.as_str())
    }

    /// The bits of a level, or what a tick gives.
    pub(crate) fn given(&self, level: Option<&str>) -> Option<u128> {
        match level {
            None if self.levels.is_empty() => Some(self.granted),
            None => None,
            Some(level) => self.levels.iter().find(|(key, _)| key == level).map(|(_, bits)| *bits),
        }
    }
}

impl Blueprint {
    /// Parses and validates a document whole.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with line and fix, in the order of lines: keys that nobody knows, values that are
    /// missing or of the wrong type, and what makes no sense in the rest. Nothing is told that follows from another mistake.
    pub fn parse(source: &str) -> Result<Self, Vec<BlueprintError>> {
        let shape::Reading { document, mistakes: mut errors, damage } = shape::read(source);
        let blueprint = document.map(Self::compile);
        if let Some(blueprint) = &blueprint {
            errors.extend(check::check(blueprint, source, &damage));
        }
        errors.sort_by_key(|error| error.line);
        blueprint.filter(|_| errors.is_empty()).ok_or(errors)
    }

    /// Compiles what can be compiled; dangling references are left out here and reported by `check`.
    fn compile(document: Document) -> Self {
        let mut permissions: IndexMap<String, Text> = PERMISSIONS
            .iter()
            .map(|known| (known.key.to_owned(), Text { label: known.label.to_owned(), help: known.help.to_owned() }))
            .collect();
        for (key, text) in &document.permissions {
            permissions.insert(key.clone(), text.clone());
        }
        let kinds: IndexMap<String, Kind> =
            document.app_kinds.iter().map(|(key, kind)| (key.clone(), compile_kind(kind))).collect();
        let all =
            RightSet { permissions: low_bits(permissions.len()), kinds: kinds.values().map(|kind| kind.all).collect() };
        let mut blueprint =
            Self { document, permissions, kinds, roles: IndexMap::new(), disabled: IndexMap::new(), all };
        let roles = blueprint.document.roles.iter();
        blueprint.roles = roles.map(|(key, role)| (key.clone(), blueprint.compile_role(role))).collect();
        let public =
            blueprint.document.app_kinds.iter().map(|(key, kind)| blueprint.compile_public(key, kind)).collect();
        let public: Vec<Option<Public>> = public;
        for (kind, public) in blueprint.kinds.values_mut().zip(public) {
            kind.public = public;
        }
        blueprint
    }

    fn compile_public(&self, key: &str, kind: &document::AppKind) -> Option<Public> {
        let rules = kind.public.as_ref()?;
        let (index, _) = self.kind(key)?;
        let to = if rules.to == document::ROOT { None } else { Some(self.kind(&rules.to)?.0) };
        Some(Public { to, bits: self.select_known(&rules.access, selector::Reach::Access).kind(index) })
    }

    fn select_known(&self, selectors: &[String], reach: selector::Reach) -> RightSet {
        let mut rights = RightSet::empty(self.kinds.len());
        for text in selectors {
            if let Ok(selected) = self.select(text, reach) {
                rights.add(&selected);
            }
        }
        rights
    }

    /// What a scope or other selector stands for.
    ///
    /// # Errors
    /// [`SelectorError`] when it names nothing of this blueprint.
    pub fn scope(&self, text: &str) -> Result<RightSet, SelectorError> {
        self.select(text, selector::Reach::Both)
    }

    /// What these scopes stand for together; scopes that name nothing give nothing.
    #[must_use]
    pub fn scopes(&self, scopes: &[String]) -> RightSet {
        self.select_known(scopes, selector::Reach::Both)
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The blueprint's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// The blueprint's version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.document.version
    }

    /// The vocabulary of organization permissions with their labels and help texts.
    #[must_use]
    pub const fn permissions(&self) -> &IndexMap<String, Text> {
        &self.permissions
    }

    /// Everything there is.
    #[must_use]
    pub const fn all(&self) -> &RightSet {
        &self.all
    }

    pub(crate) fn permission_bit(&self, key: &str) -> Option<u128> {
        self.permissions.get_index_of(key).and_then(bit)
    }

    pub(crate) fn kind(&self, key: &str) -> Option<(usize, &Kind)> {
        self.kinds.get_full(key).map(|(index, _, kind)| (index, kind))
    }

    pub(crate) fn kind_key(&self, index: usize) -> Option<&str> {
        self.kinds.get_index(index).map(|(key, _)| key.as_str())
    }

    pub(crate) fn kinds(&self) -> &IndexMap<String, Kind> {
        &self.kinds
    }

    /// Whether a feature of a kind can be given at this level (or ticked, without one).
    #[must_use]
    pub fn can_give(&self, kind: &str, feature: &str, level: Option<&str>) -> bool {
        self.kind(kind)
            .and_then(|(_, kind)| kind.features.get(feature))
            .is_some_and(|feature| feature.given(level).is_some())
    }

    /// Whether apps of this blueprint can stand under one another.
    #[must_use]
    pub fn nests_apps(&self) -> bool {
        self.document.app_kinds.values().any(|kind| kind.parents.iter().any(|parent| parent != document::ROOT))
    }

    /// Whether an app on which nothing is held is shown locked, instead of not at all (`Q17`).
    #[must_use]
    pub fn shows_locked_apps(&self) -> bool {
        self.document.levels.app.deny == DenyMode::ShowLocked
    }
}

fn compile_kind(kind: &document::AppKind) -> Kind {
    let mut next = 0_usize;
    let features: IndexMap<String, Feature> = kind
        .features
        .iter()
        .map(|(key, feature)| {
            let actions: IndexMap<String, u128> = feature
                .actions
                .keys()
                .map(|action| {
                    let place = bit(next).unwrap_or(0);
                    next = next.saturating_add(1);
                    (action.clone(), place)
                })
                .collect();
            let bits = |names: &[String]| {
                names.iter().fold(0, |mask, name| mask | actions.get(name.as_str()).copied().unwrap_or(0))
            };
            let all = actions.values().fold(0, |mask, place| mask | place);
            let mut below = 0;
            let levels = feature
                .levels
                .iter()
                .map(|level| {
                    below |= bits(&level.actions);
                    (level.key.clone(), below)
                })
                .collect();
            let granted = feature.granted.as_deref().map_or(all, bits);
            (key.clone(), Feature { actions, granted, levels, all })
        })
        .collect();
    let all = features.values().fold(0, |mask, feature| mask | feature.all);
    Kind { features, all, public: None }
}

/// The bit at a place, where the set has room for it.
fn bit(place: usize) -> Option<u128> {
    u32::try_from(place).ok().and_then(|place| 1_u128.checked_shl(place))
}

/// The lowest `count` bits.
fn low_bits(count: usize) -> u128 {
    bit(count).map_or(u128::MAX, |above| above.wrapping_sub(1))
}
