//! Verbs: everything the gateway itself can do to its data, each with the rule that allows it.
//!
//! A verb is a type, so that a [`Permit`](crate::Permit) for one cannot be spent on another. Most ask for a permission of the
//! blueprint's vocabulary; a few follow from being who one is; the rest is work without a caller, named as a [`SystemTask`].

/// What lets a caller use a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A permission held in the organization.
    Permission(&'static str),
    /// A permission held in the organization, or being a maintainer of the team that is the subject (`S5.6`).
    PermissionOrMaintainer(&'static str),
    /// An active membership of one's own.
    OwnMembership,
    /// Any signed-in person.
    AnyUser,
    /// No caller at all: only the system tasks that name the verb.
    SystemOnly,
}

/// Work that no caller asks for, or that a caller asks for before being known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemTask {
    /// A stranger opens an account, or an operator does so at the command line.
    SignUp,
    /// A stranger proves an account, refreshes or ends a session.
    SignIn,
    /// The holder of an invitation's secret accepts or declines it.
    SettleInvitation,
    /// A person has created an organization: its first member, and what everyone holds there from the start (`S3.6`).
    FoundOrganization,
    /// Invitations, grants, tokens and signing keys pass their end.
    Expiry,
    /// Entries pass their retention.
    Retention,
    /// Blueprints are installed at start or by the operator.
    InstallBlueprint,
    /// An operator imports an organization document.
    Import,
    /// An operator makes an organization or an API token, or sees to an account, at the command line, or starts the demo.
    Operator,
    /// What a change brings with it by the blueprint: automatic grants (`S1.22`), and those whose prerequisite has gone
    /// (`S1.34`).
    Consequence,
    /// Letters that wait are delivered.
    Delivery,
    /// A person deletes the account: its places end, and the person is erased from what is kept.
    CloseAccount,
}

impl SystemTask {
    /// Every task, in the order of the permission table.
    pub const ALL: [Self; 12] = [
        Self::SignUp,
        Self::SignIn,
        Self::SettleInvitation,
        Self::FoundOrganization,
        Self::Expiry,
        Self::Retention,
        Self::InstallBlueprint,
        Self::Import,
        Self::Operator,
        Self::Consequence,
        Self::Delivery,
        Self::CloseAccount,
    ];

    /// The task's name in tables and activity entries.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::SignIn => "sign-in",
            Self::SettleInvitation => "settle-invitation",
            Self::FoundOrganization => "found-organization",
            Self::Expiry => "expiry",
            Self::Retention => "retention",
            Self::InstallBlueprint => "install-blueprint",
            Self::Import => "import",
            Self::Operator => "operator",
            Self::Consequence => "consequence",
            Self::Delivery => "delivery",
            Self::CloseAccount => "close-account",
        }
    }
}

/// One thing the gateway can do.
pub trait Verb: Send + Sync + 'static {
    /// Its name, as tables and logs show it.
    const NAME: &'static str;
    /// What lets a caller use it.
    const RULE: Rule;
    /// The system tasks that may use it without a caller.
    const TASKS: &'static [SystemTask];
}

/// A verb as a row of the permission table.
#[derive(Debug, Clone, Copy)]
pub struct VerbRow {
    /// The verb's name.
    pub name: &'static str,
    /// What lets a caller use it.
    pub rule: Rule,
    /// The system tasks that may use it.
    pub tasks: &'static [SystemTask],
}

macro_rules! verbs {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $rule:expr, [$($task:ident),*];)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug)]
            pub enum $name {}

            impl Verb for $name {
                const NAME: &'static str = $text;
                const RULE: Rule = $rule;
                const TASKS: &'static [SystemTask] = &[$(SystemTask::$task),*];
            }
        )+

        /// Every verb, in the order of the permission table.
        pub const ALL: &[VerbRow] = &[
            $(VerbRow { name: $text, rule: <$name as Verb>::RULE, tasks: <$name as Verb>::TASKS },)+
        ];
    };
}

verbs! {
    /// Opens an account.
    CreateUser = "createUser", Rule::SystemOnly, [SignUp, Operator];
    /// Changes one's own account: last sign-in, password, name, photo, that the address is proven.
    UpdateUser = "updateUser", Rule::AnyUser, [SignIn, SettleInvitation, Operator];
    /// Suspends an account, or lets it be used again.
    SuspendUser = "suspendUser", Rule::SystemOnly, [Operator];
    /// Deletes one's own account.
    DeleteUser = "deleteUser", Rule::AnyUser, [];
    /// Takes a person out of the records that are kept.
    ErasePerson = "erasePerson", Rule::SystemOnly, [CloseAccount];
    /// Opens, rotates or ends a session.
    ManageSession = "manageSession", Rule::SystemOnly, [SignIn, Operator];
    /// Links an account to an identity of somebody else's provider, or lets a coming from there count.
    LinkIdentity = "linkIdentity", Rule::SystemOnly, [SignIn];
    /// Takes the link to an identity of somebody else's provider from one's own account.
    UnlinkIdentity = "unlinkIdentity", Rule::AnyUser, [];
    /// Makes a one-time code, uses it up or ends it.
    ManageCode = "manageCode", Rule::SystemOnly, [SignUp, SignIn];
    /// Sets up, uses or removes a person's second factor.
    ManageSecondFactor = "manageSecondFactor", Rule::AnyUser, [SignIn, Operator];
    /// Installs a blueprint version.
    InstallBlueprint = "installBlueprint", Rule::SystemOnly, [InstallBlueprint, Operator];
    /// Creates an organization; the caller becomes its first member.
    CreateOrganization = "createOrganization", Rule::AnyUser, [Import, Operator];
    /// Renames an organization or changes its settings.
    UpdateOrganization = "updateOrganization", Rule::Permission("organization.update"), [Import, Operator];
    /// Deletes an organization (`S3.3`).
    DeleteOrganization = "deleteOrganization", Rule::Permission("organization.delete"), [];
    /// Moves an organization to another plan (`S3.59`).
    ChangePlan = "changePlan", Rule::Permission("billing.manage"), [Operator];
    /// Invites a person: a pending member, its grants and its invitation (`S3.4`).
    InviteMember = "inviteMember", Rule::Permission("members.invite"), [Operator];
    /// Takes a pending invitation back.
    RevokeInvitation = "revokeInvitation", Rule::Permission("members.invite"), [Expiry, SignIn];
    /// Settles an invitation by its secret: the pending member becomes active, or leaves.
    SettleInvitation = "settleInvitation", Rule::SystemOnly, [SettleInvitation, Expiry];
    /// Adds a member without an invitation.
    CreateMember = "createMember", Rule::SystemOnly, [FoundOrganization, Import, Operator];
    /// Changes a member's name or state.
    UpdateMember = "updateMember", Rule::Permission("members.update"), [Import, SettleInvitation, SignIn];
    /// Brings an archived member back (`Q21`).
    RestoreMember = "restoreMember", Rule::Permission("members.invite"), [];
    /// Removes a member (`S3.53`).
    RemoveMember = "removeMember", Rule::Permission("members.remove"), [];
    /// Leaves an organization (`S3.60`).
    LeaveOrganization = "leaveOrganization", Rule::OwnMembership, [CloseAccount];
    /// Gives or takes an organization role (`S3.71`).
    AssignRole = "assignRole", Rule::Permission("roles.assign"), [FoundOrganization, Import, Operator];
    /// Gives up an organization role of one's own (`S4.R4`).
    StepDown = "stepDown", Rule::OwnMembership, [];
    /// Hands a role of one's own over to another member (`Q12`).
    TransferRole = "transferRole", Rule::OwnMembership, [];
    /// Creates, changes or deletes a role of the organization's own.
    ManageRole = "manageRole", Rule::Permission("roles.manage"), [Operator];
    /// Gives or takes access to apps and features.
    GrantAccess = "grantAccess", Rule::Permission("access.grant"), [FoundOrganization, Import, Operator, Consequence];
    /// Creates a team.
    CreateTeam = "createTeam", Rule::Permission("teams.manage"), [Import, Operator];
    /// Renames, moves or describes a team.
    UpdateTeam = "updateTeam", Rule::Permission("teams.manage"), [Import];
    /// Deletes a team.
    DeleteTeam = "deleteTeam", Rule::Permission("teams.manage"), [];
    /// Adds or removes a team's members (`S5.6`).
    ManageTeamMember = "manageTeamMember", Rule::PermissionOrMaintainer("teams.manage"), [Import, Operator];
    /// Names or dismisses a team's maintainers.
    ManageTeamMaintainer = "manageTeamMaintainer", Rule::Permission("teams.manage"), [Import, Operator];
    /// Creates an app.
    CreateApp = "createApp", Rule::Permission("apps.create"), [Import, Operator];
    /// Renames an app, enables or disables it.
    UpdateApp = "updateApp", Rule::Permission("apps.update"), [Import];
    /// Deletes an app with its grants (`S3.3`).
    DeleteApp = "deleteApp", Rule::Permission("apps.delete"), [];
    /// Records what happened in a product (`S3.65`).
    RecordActivity = "recordActivity", Rule::Permission("activity.record"), [Operator];
    /// Changes what an organization says about itself (`S0.4`).
    UpdateProfile = "updateProfile", Rule::Permission("profile.update"), [FoundOrganization, Operator];
    /// Moves an organization to another version of its blueprint.
    MoveBlueprint = "moveBlueprint", Rule::Permission("blueprint.move"), [Operator];
    /// Creates an organization below one's own (`S2.42`).
    CreateChild = "createChild", Rule::Permission("children.create"), [];
    /// Writes down invoices and payment methods (`S0.11`).
    RecordBilling = "recordBilling", Rule::Permission("billing.record"), [Operator];
    /// Counts what is used (`S0.12`).
    RecordUsage = "recordUsage", Rule::Permission("usage.record"), [Operator];
    /// Creates a service account.
    CreateServiceAccount = "createServiceAccount", Rule::Permission("tokens.manage"), [Operator];
    /// Renames a service account, enables or disables it.
    UpdateServiceAccount = "updateServiceAccount", Rule::Permission("tokens.manage"), [];
    /// Deletes a service account with its tokens.
    DeleteServiceAccount = "deleteServiceAccount", Rule::Permission("tokens.manage"), [];
    /// Notes that people were told of the end of a token (`S4.R8`).
    NoteNotice = "noteNotice", Rule::SystemOnly, [Expiry];
    /// Creates an API token.
    CreateApiToken = "createApiToken", Rule::Permission("tokens.manage"), [Operator];
    /// Revokes an API token.
    RevokeApiToken = "revokeApiToken", Rule::Permission("tokens.manage"), [Expiry];
    /// Takes letters that wait upon oneself, and notes what became of them.
    DeliverMail = "deliverMail", Rule::SystemOnly, [Delivery];
    /// Reads as another member does, and has it written down.
    ViewAs = "viewAs", Rule::Permission("members.view_as"), [];
    /// Makes the next signing key, and ends the ones before it.
    RotateSigningKey = "rotateSigningKey", Rule::SystemOnly, [Expiry, Operator];
    /// Removes what is past its retention.
    Purge = "purge", Rule::SystemOnly, [Retention, Expiry];
}

/// A permission the gateway itself asks for, with the words shown where a blueprint gives none.
#[derive(Debug, Clone, Copy)]
pub struct KnownPermission {
    /// The key, as blueprints and scopes name it.
    pub key: &'static str,
    /// A short label.
    pub label: &'static str,
    /// What it lets one do.
    pub help: &'static str,
    /// Whether an app role can give it, for that app and those below; the others are asked for in the organization alone.
    pub on_apps: bool,
}

/// The permissions every blueprint can hand out. A blueprint may declare more of its own.
pub const PERMISSIONS: &[KnownPermission] = &[
    known("organization.update", "Edit the organization", "Rename the organization and change its settings."),
    known("organization.delete", "Delete the organization", "Delete the organization and everything in it."),
    known("billing.read", "See billing", "See the plan, its limits and invoices."),
    known("billing.manage", "Manage billing", "Change the plan."),
    known("billing.record", "Record billing", "Write down invoices and payment methods."),
    known("usage.read", "See usage", "See what is used of the plan."),
    known("usage.record", "Record usage", "Count what is used of the plan."),
    known("profile.read", "See the profile", "See what the organization says about itself."),
    known("profile.update", "Edit the profile", "Change what the organization says about itself."),
    known("blueprint.move", "Change the rules", "Move the organization to another version of its blueprint."),
    known("children.read", "See child organizations", "See the organizations below this one."),
    known("children.create", "Create child organizations", "Create organizations below this one."),
    on_apps("members.read", "See members", "See who belongs to the organization."),
    on_apps("members.invite", "Invite members", "Invite people, resend and take back invitations."),
    known("members.update", "Edit members", "Change members' names and states."),
    known("members.remove", "Remove members", "Remove people from the organization."),
    known("roles.assign", "Change roles", "Give and take organization roles."),
    known("roles.manage", "Manage roles", "Create, change and delete roles of the organization's own."),
    on_apps("access.grant", "Edit access", "Give and take access to apps and features."),
    on_apps("rights.read", "See rights", "See what others may do, and why."),
    known("teams.read", "See teams", "See the teams that are not secret."),
    known("teams.read_secret", "See secret teams", "See every team, the secret ones included."),
    known("teams.manage", "Manage teams", "Create, change and delete teams and their members."),
    on_apps("apps.create", "Create apps", "Create apps."),
    on_apps("apps.update", "Edit apps", "Rename, enable and disable apps."),
    on_apps("apps.delete", "Delete apps", "Delete apps and every grant on them."),
    known("activity.read", "See activity", "See who did what."),
    known("activity.record", "Record activity", "Record what happened in a product."),
    on_apps("tokens.manage", "Manage API tokens", "Create and revoke service accounts and API tokens."),
];

/// Whether an app role can give this permission, one of the gateway's own or of the product's; the others are asked for in the
/// organization alone.
#[must_use]
pub fn is_for_apps(key: &str) -> bool {
    PERMISSIONS.iter().find(|permission| permission.key == key).is_none_or(|permission| permission.on_apps)
}

/// Areas of the gateway's own permissions whose keys are not what people call them.
const AREAS: &[(&str, &str)] = &[("blueprint", "Rules"), ("children", "Child organizations"), ("tokens", "API tokens")];

/// What people call an area of permissions, as `members`: mostly its key, in words.
#[must_use]
pub fn area_label(area: &str) -> String {
    if let Some((_, label)) = AREAS.iter().find(|(key, _)| *key == area) {
        return (*label).to_owned();
    }
    let words = area.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const fn known(key: &'static str, label: &'static str, help: &'static str) -> KnownPermission {
    KnownPermission { key, label, help, on_apps: false }
}

const fn on_apps(key: &'static str, label: &'static str, help: &'static str) -> KnownPermission {
    KnownPermission { key, label, help, on_apps: true }
}
