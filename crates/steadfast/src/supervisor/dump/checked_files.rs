//! Tracked files, and the real servers that they say something of.

use model::lvs::{Checker, FileCheck};

use super::Scene;
use super::checkers::title;
use super::page::Page;
use super::pools::Pools;
use super::servers::file_weight;
use super::topology::weight;

/// Each file that a `FILE_CHECK` looks at.
pub(super) fn write(scene: &Scene<'_>, pools: &Pools<'_>, page: &mut Page) {
    let mut heading = Some("Checker track files");
    for file in &scene.config.vrrp.files {
        let lookers = lookers(scene, &file.name);
        if lookers.is_empty() {
            continue;
        }
        heading.take().into_iter().for_each(|heading| page.title(heading));
        page.line(1, format_args!("Track file = {}", file.name));
        page.line(3, format_args!("File = {}", file.path));
        page.line(3, format_args!("Status = {}", pools.files.get(&file.name).copied().unwrap_or(0)));
        page.line(3, format_args!("Weight = {}", weight(file.influence)));
        page.line(3, "Tracking instances :");
        for (who, check) in lookers {
            page.line(5, format_args!("{who}, weight {}", file_weight(check)));
        }
    }
}

fn lookers<'a>(scene: &Scene<'a>, name: &str) -> Vec<(String, &'a FileCheck)> {
    let mut lookers = Vec::new();
    for server in &scene.config.lvs.virtual_servers {
        for real in &server.real_servers {
            for checker in &real.checkers {
                if let Checker::File(file) = checker
                    && *file.file == *name
                {
                    lookers.push((title(server, real), &**file));
                }
            }
        }
    }
    lookers
}
