// Lookup limiter: bounds the credential lookups that a client has outstanding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace handlers {

/** Counts the outstanding lookups of clients that have presented too many unknown credentials. All lookups of
    a core share a connection, in their order: without a bound, one client that makes up credentials would
    delay those of all others. Used by the core's thread alone. */
class lookup_limiter {
public:
    /// As address_bucket() returns it.
    using address = std::array<std::uint8_t, 16>;

    /// Lookups of one address at the same time.
    static constexpr std::size_t most = 4;

    /// The place of one lookup; given back by the destructor. The limiter outlives it.
    class place {
    public:
        place(place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), of_(other.of_) {}
        place& operator=(place&&) = delete;
        ~place()
        {
            if (owner_)
                owner_->give_back(of_);
        }

    private:
        friend lookup_limiter;
        place(lookup_limiter& owner, const address& of) : owner_(&owner), of_(of) {}

        lookup_limiter* owner_;
        address of_;
    };

    /// @return nothing if the address has too many outstanding
    std::optional<place> enter(const address& of)
    {
        auto& count = outstanding_[of]; // a new one is below the bound
        if (count >= most)
            return std::nullopt;
        ++count;
        return place(*this, of);
    }

private:
    void give_back(const address& of)
    {
        auto known = outstanding_.find(of);
        if (--known->second == 0)
            outstanding_.erase(known);
    }

    std::map<address, std::size_t> outstanding_;
};

} // namespace handlers
