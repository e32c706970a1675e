//! What can be made to go wrong: the pains of real subscriptions.

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    ModelRetired,
    NoQuota,
    WrongSku,
    NameTaken,
    FreeTrial,
    NotRegistered,
    Busy,
    NoCores,
    Crowded,
    OddRuntimes,
    OldForm,
    NotAMember,
    Leftovers,
    NoPurge,
    Idle,
    Reader,
    Disabled,
    LibraryFails,
}

impl Fault {
    /// All of them, with their names and what happens.
    pub(crate) const ALL: [(Self, &'static str, &'static str); 18] = [
        (
            Self::ModelRetired,
            "model-retired",
            "every model is past its last day (ServiceModelDeprecated)",
        ),
        (
            Self::NoQuota,
            "no-quota",
            "2,000 tokens per minute are left of each model (InsufficientQuota)",
        ),
        (
            Self::WrongSku,
            "wrong-sku",
            "models are sold as provisioned units alone (InvalidResourceProperties)",
        ),
        (
            Self::NameTaken,
            "name-taken",
            "somebody else has each address (CustomDomainInUse)",
        ),
        (
            Self::FreeTrial,
            "free-trial",
            "the subscription is a free trial (SpecialFeatureOrQuotaIdRequired)",
        ),
        (
            Self::NotRegistered,
            "not-registered",
            "providers are not registered, and you may not register them",
        ),
        (
            Self::Busy,
            "busy",
            "every other change finds another one under way (RequestConflict)",
        ),
        (
            Self::NoCores,
            "no-cores",
            "no cores are left, and clusters end with AZURE_QUOTA_EXCEEDED_EXCEPTION",
        ),
        (
            Self::Crowded,
            "crowded",
            "a class asks too: every third request is refused with a 429",
        ),
        (
            Self::OddRuntimes,
            "odd-runtimes",
            "the newest runtimes are betas, for GPUs or of an old Scala",
        ),
        (
            Self::OldForm,
            "old-form",
            "clusters are made in the old form alone",
        ),
        (
            Self::NotAMember,
            "not-a-member",
            "the workspace knows you by its ID in Azure alone",
        ),
        (
            Self::Leftovers,
            "leftovers",
            "a deleted workspace leaves its resource group behind",
        ),
        (
            Self::NoPurge,
            "no-purge",
            "you may not purge deleted accounts",
        ),
        (
            Self::Idle,
            "idle",
            "a cluster ends for inactivity a minute after it runs",
        ),
        (Self::Reader, "reader", "you may read and change nothing"),
        (Self::Disabled, "disabled", "the subscription has expired"),
        (
            Self::LibraryFails,
            "library-fails",
            "no package can be installed",
        ),
    ];

    /// The fault of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, own, _)| *own == name)
            .map(|(fault, ..)| *fault)
    }
}
