//! The table of root fields that the document gate reads: what is not written here is refused to everyone.
//!
//! A test holds it against the schema, so that a new root field without a row fails the build.

/// The kind of operation a root field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// Reads.
    Query,
    /// Changes.
    Mutation,
    /// Follows.
    Subscription,
}

/// Who may ask for a root field at all; what it then shows or does, the service decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Strangers too.
    Anyone,
    /// Callers with a valid credential.
    Callers,
}

/// Every root field.
pub const FIELDS: &[(Root, &str, Audience)] = &[
    (Root::Query, "viewer", Audience::Anyone),
    (Root::Query, "organization", Audience::Callers),
    (Root::Query, "organizations", Audience::Callers),
    (Root::Query, "node", Audience::Callers),
    (Root::Query, "nodes", Audience::Callers),
    (Root::Query, "check", Audience::Callers),
    (Root::Query, "signInProviders", Audience::Anyone),
    (Root::Mutation, "signUp", Audience::Anyone),
    (Root::Mutation, "updateUser", Audience::Callers),
    (Root::Mutation, "signIn", Audience::Anyone),
    (Root::Mutation, "refreshSession", Audience::Anyone),
    (Root::Mutation, "signInWithProvider", Audience::Anyone),
    (Root::Mutation, "signOut", Audience::Anyone),
    (Root::Mutation, "switchOrganization", Audience::Callers),
    (Root::Mutation, "requestEmailVerification", Audience::Callers),
    (Root::Mutation, "verifyEmail", Audience::Anyone),
    (Root::Mutation, "requestEmailChange", Audience::Callers),
    (Root::Mutation, "confirmEmailChange", Audience::Anyone),
    (Root::Mutation, "deleteAccount", Audience::Callers),
    (Root::Mutation, "changePassword", Audience::Callers),
    (Root::Mutation, "requestPasswordReset", Audience::Anyone),
    (Root::Mutation, "resetPassword", Audience::Anyone),
    (Root::Mutation, "revokeSessions", Audience::Callers),
    (Root::Mutation, "startSecondFactor", Audience::Callers),
    (Root::Mutation, "confirmSecondFactor", Audience::Callers),
    (Root::Mutation, "proveSecondFactor", Audience::Callers),
    (Root::Mutation, "renewRecoveryCodes", Audience::Callers),
    (Root::Mutation, "removeSecondFactor", Audience::Callers),
    (Root::Mutation, "unlinkExternalIdentity", Audience::Callers),
    (Root::Mutation, "createOrganization", Audience::Callers),
    (Root::Mutation, "updateOrganization", Audience::Callers),
    (Root::Mutation, "changePlan", Audience::Callers),
    (Root::Mutation, "deleteOrganization", Audience::Callers),
    (Root::Mutation, "inviteMember", Audience::Callers),
    (Root::Mutation, "inviteMembers", Audience::Callers),
    (Root::Mutation, "resendInvitation", Audience::Callers),
    (Root::Mutation, "revokeInvitation", Audience::Callers),
    (Root::Mutation, "acceptInvitation", Audience::Callers),
    (Root::Mutation, "declineInvitation", Audience::Anyone),
    (Root::Mutation, "changeMemberRole", Audience::Callers),
    (Root::Mutation, "addMemberRole", Audience::Callers),
    (Root::Mutation, "removeMemberRole", Audience::Callers),
    (Root::Mutation, "updateMember", Audience::Callers),
    (Root::Mutation, "removeMember", Audience::Callers),
    (Root::Mutation, "restoreMember", Audience::Callers),
    (Root::Mutation, "suspendMember", Audience::Callers),
    (Root::Mutation, "reactivateMember", Audience::Callers),
    (Root::Mutation, "transferRole", Audience::Callers),
    (Root::Mutation, "leaveOrganization", Audience::Callers),
    (Root::Subscription, "seatUsageChanged", Audience::Callers),
    (Root::Mutation, "recordActivity", Audience::Callers),
    (Root::Mutation, "createApiToken", Audience::Callers),
    (Root::Mutation, "regenerateApiToken", Audience::Callers),
    (Root::Mutation, "revokeApiToken", Audience::Callers),
    (Root::Mutation, "createServiceAccount", Audience::Callers),
    (Root::Mutation, "updateServiceAccount", Audience::Callers),
    (Root::Mutation, "deleteServiceAccount", Audience::Callers),
    (Root::Subscription, "activityAdded", Audience::Callers),
    (Root::Mutation, "createApp", Audience::Callers),
    (Root::Mutation, "updateApp", Audience::Callers),
    (Root::Mutation, "deleteApp", Audience::Callers),
    (Root::Mutation, "grantAccess", Audience::Callers),
    (Root::Mutation, "revokeAccess", Audience::Callers),
    (Root::Mutation, "updateMemberAccess", Audience::Callers),
    (Root::Mutation, "setAppRole", Audience::Callers),
    (Root::Mutation, "setDefaultAccess", Audience::Callers),
    (Root::Mutation, "createTeam", Audience::Callers),
    (Root::Mutation, "updateTeam", Audience::Callers),
    (Root::Mutation, "deleteTeam", Audience::Callers),
    (Root::Mutation, "addTeamMember", Audience::Callers),
    (Root::Mutation, "removeTeamMember", Audience::Callers),
    (Root::Subscription, "accessChanged", Audience::Callers),
    (Root::Mutation, "createRole", Audience::Callers),
    (Root::Mutation, "updateRole", Audience::Callers),
    (Root::Mutation, "deleteRole", Audience::Callers),
    (Root::Mutation, "moveBlueprint", Audience::Callers),
    (Root::Mutation, "updateProfile", Audience::Callers),
    (Root::Mutation, "recordUsage", Audience::Callers),
    (Root::Subscription, "usageChanged", Audience::Callers),
    (Root::Mutation, "recordInvoice", Audience::Callers),
    (Root::Mutation, "recordPaymentMethod", Audience::Callers),
    (Root::Mutation, "removePaymentMethod", Audience::Callers),
];
