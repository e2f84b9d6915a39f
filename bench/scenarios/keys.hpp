// A compact set of API keys.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

/// API keys in one contiguous string, since all have one length: a million take 51 MB.
class key_set {
public:
    /// tnx_ + 8 + _ + 38
    static constexpr std::size_t key_size = 51;

    /// The prefix identifies a key in paths.
    static constexpr std::size_t prefix_offset = 4, prefix_size = 8;

    std::size_t size() const { return text_.size() / key_size; }
    bool empty() const { return text_.empty(); }
    std::string_view operator[](std::size_t i) const { return {text_.data() + i * key_size, key_size}; }
    void reserve(std::size_t keys) { text_.reserve(keys * key_size); }
    void add(std::string_view key) { text_.append(key.substr(0, key_size)); }
    void add(const key_set& others) { text_.append(others.text_); }

private:
    std::string text_;
};

} // namespace bench
