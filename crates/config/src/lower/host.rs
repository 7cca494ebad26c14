//! The scripts that a file names. Whether they are there, only the host knows.

use model::vrrp::{Command, RunAs};

use crate::Script;
use crate::keyword::Block;
use crate::lower::notify::CommandDraft;
use crate::lower::{Drafts, Report};
use crate::source::Span;

/// A script and who wants it.
#[derive(Clone, Debug)]
pub(crate) struct ScriptDraft {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// From its own line, or from `user` in its block.
    pub(crate) run_as: Option<RunAs>,
    pub(crate) names_user: bool,
    pub(crate) block: Block,
    pub(crate) keyword: &'static str,
    pub(crate) span: Span,
}

impl ScriptDraft {
    pub(crate) fn resolve(self, script_user: &RunAs) -> Script {
        let run_as = self.run_as.unwrap_or_else(|| script_user.clone());
        Script {
            command: Command { program: self.program, arguments: self.arguments, run_as },
            names_user: self.names_user,
            block: self.block,
            keyword: self.keyword,
            span: self.span,
        }
    }

    /// Whether the process that would run it is there at all.
    fn runs_with(&self, routers: bool, servers: bool) -> bool {
        match (self.block, self.keyword) {
            (Block::GlobalDefs, "startup_script" | "shutdown_script") => true,
            (Block::GlobalDefs, "vrrp_notify_fifo_script") => routers,
            (Block::GlobalDefs, "lvs_notify_fifo_script") => servers,
            (Block::GlobalDefs, _) => routers || servers,
            (Block::Script | Block::Instance | Block::SyncGroup, _) => routers,
            _ => servers,
        }
    }
}

impl Report {
    /// The block of this script has named a user.
    pub(crate) fn run_script_as(&mut self, script: Option<&CommandDraft>, user: Option<&RunAs>) {
        let (Some(script), Some(user)) = (script, user) else { return };
        // It was read a few lines ago.
        let found = self.scripts.iter_mut().rev().find(|draft| draft.span == script.span);
        if let Some(draft) = found {
            draft.run_as = Some(user.clone());
        }
    }

    /// Forgets scripts that nobody would run: those of routers where there are none, and of servers likewise.
    pub(crate) fn keep_scripts_that_run(&mut self, drafts: &Drafts) {
        let (routers, servers) = (!drafts.instances.is_empty(), drafts.lvs.has_servers());
        self.scripts.retain(|script| script.runs_with(routers, servers));
    }
}
