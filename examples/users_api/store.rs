//! The records, in a database file.

use std::{path::Path, sync::Arc};

use redb::{Database, TableDefinition};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use tokio::task::spawn_blocking;

use crate::Failure;

/// A record. Of a request's body only these three are read; the id is the authorizer's word, never the client's.
#[derive(Deserialize, Serialize)]
pub(crate) struct User {
    #[serde(skip_deserializing)]
    pub(crate) userid: String,
    age: String,
    height: String,
    income: String,
    /// What else a body may hold. Because of this member serde also refuses a list in the place of a record.
    #[serde(flatten, skip_serializing)]
    _ignored: IgnoredAny,
}

const USERS: TableDefinition<&str, &str> = TableDefinition::new("users");

/// The records, as JSON, in a database file.
#[derive(Clone)]
pub(crate) struct Users(Arc<Database>);

impl Users {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        transaction.open_table(USERS)?;
        transaction.commit()?;
        Ok(Self(Arc::new(database)))
    }

    pub(crate) fn put(&self, user: User) -> Result<User, Failure> {
        let transaction = self.0.begin_write()?;
        transaction.open_table(USERS)?.insert(&*user.userid, &*serde_json::to_string(&user)?)?;
        transaction.commit()?;
        Ok(user)
    }

    pub(crate) fn get(&self, userid: String) -> Result<Option<User>, Failure> {
        let Some(found) = self.0.begin_read()?.open_table(USERS)?.get(&*userid)? else { return Ok(None) };
        Ok(Some(User { userid, ..serde_json::from_str(found.value())? }))
    }

    /// The database blocks, so it is asked on a thread where that is allowed.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        spawn_blocking(move || work(&self)).await?
    }
}
