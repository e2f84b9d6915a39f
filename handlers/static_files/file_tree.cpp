#include "handlers/static_files/file_tree.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

#include <boost/url/parse.hpp>

#include <map>
#include <stdexcept>

namespace handlers {

namespace {

/// Bytes of a digest in URLs and entity tags: 96 bits.
constexpr std::size_t digest_size = 12;

std::string digest_of(std::string_view content)
{
    auto digest = crypto::sha256(content);
    return crypto::to_base64url(std::span<const std::uint8_t>(digest).first(digest_size));
}

/// Of a file that compression does not make smaller, only the plain form is served.
embedded_file without_useless_variants(embedded_file file)
{
    if (file.brotli.size() >= file.plain.size())
        file.brotli = {};
    if (file.gzip.size() >= file.plain.size())
        file.gzip = {};
    return file;
}

std::string path_of(std::string_view public_url)
{
    auto url = boost::urls::parse_absolute_uri(public_url);
    std::string out = url ? std::string(std::string_view(url->encoded_path())) : std::string();
    while (out.ends_with('/'))
        out.pop_back();
    return out;
}

} // namespace

file_tree::file_tree(std::string_view public_url, std::span<const embedded_file> embedded,
                     std::span<const generated_file> generated)
    : base_path_(path_of(public_url)), generated_(generated.begin(), generated.end())
{
    for (auto& file : embedded)
        files_.emplace(file.name, entry{without_useless_variants(file), digest_of(file.plain)});
    for (auto& file : generated_)
        files_.insert_or_assign(
            file.name, entry{{file.name, file.content_type, file.content, {}, {}}, digest_of(file.content)});

    std::map<std::string_view, std::string_view> sorted;
    for (auto& [name, one] : files_)
        sorted.emplace(name, one.tag);
    std::string all;
    for (auto& [name, tag] : sorted)
        all.append(name).append("\n").append(tag).append("\n");
    digest_ = digest_of(all);
}

const file_tree::entry* file_tree::find(std::string_view digest, std::string_view name) const
{
    if (digest != digest_)
        return nullptr;
    auto found = files_.find(name);
    return found == files_.end() ? nullptr : &found->second;
}

std::string file_tree::url(std::string_view name) const
{
    if (!contains(name))
        throw std::logic_error("no embedded file " + std::string(name));
    return base_path_ + "/assets/" + digest_ + "/" + std::string(name);
}

} // namespace handlers
