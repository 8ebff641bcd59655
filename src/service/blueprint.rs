//! Blueprints in use: parsed once and kept, because an installed version never changes.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Change, Service, ServiceError, input};
use crate::{
    access::{
        Blueprint, SystemTask,
        blueprint::{BlueprintError, CustomRole, document::FieldKind},
        profile::first_field,
        verb::InstallBlueprint,
    },
    id::new_id,
    store::{self, Reader, StoreError, WriteScope},
};

/// The blueprints that come with the program, by file name.
pub const IN_THE_BOX: &[(&str, &str)] = &[
    ("support-hub.toml", include_str!("../../blueprints/support-hub.toml")),
    ("cloud-console.toml", include_str!("../../blueprints/cloud-console.toml")),
    ("code-hosting.toml", include_str!("../../blueprints/code-hosting.toml")),
    ("event-apps.toml", include_str!("../../blueprints/event-apps.toml")),
    ("workspace.toml", include_str!("../../blueprints/workspace.toml")),
    ("business-suite.toml", include_str!("../../blueprints/business-suite.toml")),
];

/// An installed blueprint version, with the roles of an organization's own where it has any.
#[derive(Debug)]
pub struct Installed {
    /// The row.
    pub id: Uuid,
    /// The compiled rules.
    pub rules: Blueprint,
    /// The organization's own roles, by key, disabled ones too; the others are among the rules.
    pub custom: Vec<CustomRole>,
}

/// The parsed blueprints of this process.
#[derive(Debug, Default)]
pub(super) struct Blueprints {
    plain: RwLock<HashMap<Uuid, Arc<Installed>>>,
    /// Rules with organizations' own roles, which stand in the key whole: what is found is exactly what was asked for.
    extended: RwLock<HashMap<OwnRules, Arc<Installed>>>,
}

/// A blueprint version and the roles beside it.
type OwnRules = (Uuid, Vec<CustomRole>);

/// How many organizations' own rules are kept.
const KEPT: usize = 1_000;

/// What installing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installation {
    /// It is installed now.
    Installed,
    /// The very same document was installed before.
    AlreadyThere,
}

/// Why a blueprint is not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The document is wrong.
    #[error("the document has {} mistakes", .0.len())]
    Invalid(Vec<BlueprintError>),
    /// The same name and version are installed with other contents.
    #[error("version {version} of `{name}` is installed with other contents; a change is a new version")]
    VersionTaken {
        /// The blueprint's name.
        name: String,
        /// The version.
        version: u32,
    },
    /// The service could not do it.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Blueprints {
    fn find(&self, id: Uuid) -> Option<Arc<Installed>> {
        self.plain.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn keep(&self, id: Uuid, rules: Blueprint) -> Arc<Installed> {
        let installed = Arc::new(Installed { id, rules, custom: Vec::new() });
        self.plain.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(installed).clone()
    }

    fn extend(&self, plain: &Arc<Installed>, custom: &[CustomRole]) -> Arc<Installed> {
        if custom.is_empty() {
            return Arc::clone(plain);
        }
        let key = (plain.id, custom.to_vec());
        if let Some(known) = self.extended.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(known);
        }
        let rules = plain.rules.with_custom_roles(custom);
        let extended = Arc::new(Installed { id: plain.id, rules, custom: custom.to_vec() });
        let mut kept = self.extended.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.entry(key).or_insert(extended).clone()
    }
}

/// Reads a document that is to be installed.
///
/// # Errors
/// Everything that is wrong with it ([`Blueprint::parse`]); then, a default of the language of letters in which none is written.
pub fn read(source: &str) -> Result<Blueprint, Vec<BlueprintError>> {
    let rules = Blueprint::parse(source)?;
    let Some((section, key, field)) = first_field(rules.document(), FieldKind::Language) else { return Ok(rules) };
    match input::language("default", field.default.as_deref().unwrap_or_default()) {
        Ok(_) => Ok(rules),
        Err(refusal) => {
            let keys = ["profile", section, "fields", key, "default"];
            let fix = "name one of these, or leave it out: English".to_owned();
            Err(vec![BlueprintError::at(source, &keys, (refusal.message, fix))])
        }
    }
}

fn parse_stored(source: &str) -> Result<Blueprint, ServiceError> {
    Blueprint::parse(source).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        ServiceError::Internal(anyhow::anyhow!("a stored blueprint does not parse: {first}"))
    })
}

impl Service {
    /// The blueprint version of this id; for organizations, which pin one.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when it is not installed.
    pub(crate) async fn blueprint(&self, reader: &impl Reader, id: Uuid) -> Result<Arc<Installed>, ServiceError> {
        if let Some(known) = self.blueprints().find(id) {
            return Ok(known);
        }
        let row = store::blueprint::find_by_id(reader, id)
            .await?
            .ok_or_else(|| StoreError::Corrupt(format!("blueprint {id} is not installed")))?;
        Ok(self.blueprints().keep(id, parse_stored(&row.source)?))
    }

    /// The blueprint version of this id with an organization's own roles: the rules it lives by.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when it is not installed.
    pub(crate) async fn rules(
        &self,
        reader: &impl Reader,
        id: Uuid,
        custom: &[CustomRole],
    ) -> Result<Arc<Installed>, ServiceError> {
        let plain = self.blueprint(reader, id).await?;
        Ok(self.blueprints().extend(&plain, custom))
    }

    /// The rules an organization lives by; for work that has not loaded its roles with somebody's facts. One statement.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when its blueprint is not installed.
    pub(crate) async fn rules_of(
        &self,
        reader: &impl Reader,
        (organization, id): (Uuid, Uuid),
    ) -> Result<Arc<Installed>, ServiceError> {
        let custom = store::custom_role::find_all(reader, organization).await?;
        let custom: Vec<CustomRole> = custom.into_iter().map(|stored| stored.role).collect();
        self.rules(reader, id, &custom).await
    }

    /// The newest installed version of a blueprint by name.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn find_blueprint(&self, name: &str) -> Result<Option<Arc<Installed>>, ServiceError> {
        let reader = self.store().read();
        match store::blueprint::find_by_name(&reader, name, None).await? {
            None => Ok(None),
            Some(row) => match self.blueprints().find(row.id) {
                Some(known) => Ok(Some(known)),
                None => Ok(Some(self.blueprints().keep(row.id, parse_stored(&row.source)?))),
            },
        }
    }

    /// Installs a blueprint document. The same document again is no error.
    ///
    /// # Errors
    /// [`InstallError`]: the mistakes of the document, or its version taken by another one.
    pub async fn install_blueprint(&self, source: &str) -> Result<Installation, InstallError> {
        let rules = read(source).map_err(InstallError::Invalid)?;
        let (name, version) = (rules.name().to_owned(), rules.version());
        let hash = hex(&Sha256::digest(source));
        let number = i32::try_from(version).map_err(|_| InstallError::VersionTaken { name: name.clone(), version })?;
        let known = store::blueprint::find_by_name(&self.store().read(), &name, Some(number))
            .await
            .map_err(ServiceError::from)?;
        if let Some(known) = known {
            return if known.hash == hash {
                Ok(Installation::AlreadyThere)
            } else {
                Err(InstallError::VersionTaken { name, version })
            };
        }
        let row = store::blueprint::Blueprint {
            id: new_id(),
            name,
            version: number,
            hash,
            title: rules.document().title.clone(),
            source: source.to_owned(),
            installed_at: self.now(),
        };
        let change = Change::by_system("installBlueprint", SystemTask::InstallBlueprint, WriteScope::default());
        let insert = self.mutate(change, move |work| {
            Box::pin(async move {
                let permit = work.authorize::<InstallBlueprint>(None)?;
                match store::blueprint::insert(work.tx, permit, row).await {
                    Ok(_) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            })
        });
        insert.await?;
        Ok(Installation::Installed)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
