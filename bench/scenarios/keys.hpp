// Many API keys in one piece of memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

/** Texts of API keys, which all have one length, side by side: a million take 51 MB. */
class key_set {
public:
    static constexpr std::size_t key_size = 51; // tnx_ + 8 + _ + 38

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
