// The files that the server serves to browsers, below one path that names their content.
#pragma once

#include "handlers/static_files/embedded.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace handlers {

/// A file that is only known at start, such as the operator's logo.
struct generated_file {
    std::string name, content_type, content;
};

/** An immutable set of files with one digest of all names and contents, which is a part of each URL:
    `/assets/<digest>/<name>`. So a URL never changes its content, and relative references between files
    (`import './x.js'`) stay within one version of all. Safe to use from all threads. */
class file_tree {
public:
    /// A file, and the entity tag of its plain form, without quotes.
    struct entry {
        embedded_file file;
        std::string tag;
    };

    /// @param public_url its path comes before that of the tree
    file_tree(std::string_view public_url, std::span<const embedded_file> embedded,
              std::span<const generated_file> generated);
    file_tree(const file_tree&) = delete;
    file_tree& operator=(const file_tree&) = delete;

    /// Of the content of all files.
    const std::string& digest() const { return digest_; }

    /// The file, if the digest is the tree's; else null.
    const entry* find(std::string_view digest, std::string_view name) const;

    bool contains(std::string_view name) const { return files_.contains(name); }

    /** The URL of a file, absolute within the site.
        @throw std::logic_error if there is none with this name */
    std::string url(std::string_view name) const;

    /// The path of the public URL, without a trailing slash: what comes before every path of the site.
    const std::string& base_path() const { return base_path_; }

private:
    std::string base_path_, digest_;
    /// What the entries of generated files refer to.
    std::deque<generated_file> generated_;
    std::unordered_map<std::string_view, entry> files_;
};

} // namespace handlers
